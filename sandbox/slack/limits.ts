/** Slack's limits on blocks and views. Numbers: docs.slack.dev reference and @slack/types; where undocumented, said so. Pure. */
import { isObj, type Obj, objects, str } from './types.js';

export interface Problem {
  error: string;
  /** In Slack's own form: what is wrong, and a JSON pointer to it. */
  detail: string;
}

export const LIMIT = {
  messageBlocks: 50,
  viewBlocks: 100,
  /** Undocumented: `msg_blocks_too_long` was reported at about this sum of text (slackapi/bolt-js#2509). */
  messageBlocksText: 13_200,
  messageText: 40_000,
  messageTextAdvised: 4000,
  text: 3000,
  header: 150,
  fields: 10,
  fieldText: 2000,
  contextElements: 10,
  contextActions: 5,
  actionsElements: 25,
  buttonText: 75,
  buttonValue: 2000,
  url: 3000,
  id: 255,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  optionText: 75,
  optionValue: 150,
  options: 100,
  choices: 10,
  overflow: 5,
  placeholder: 150,
  label: 2000,
  inputMax: 3000,
  tableRows: 100,
  tableCells: 20,
  /** Over all tables of one message. */
  tableText: 10_000,
  markdown: 12_000,
  alert: 200,
  imageText: 2000,
  containerBlocks: 10,
  containerTitle: 150,
  viewTitle: 24,
  privateMetadata: 3000,
  viewBytes: 250_000,
} as const;

type Report = (path: string, text: string) => void;

/** Checks a message's blocks; empty when Slack would take them. */
export function checkMessageBlocks(blocks: unknown): Problem[] {
  const problems = checkBlocks(blocks, LIMIT.messageBlocks);
  if (problems.length > 0 || !Array.isArray(blocks)) return problems;
  const length = textLength(blocks);
  return length > LIMIT.messageBlocksText
    ? [{ error: 'msg_blocks_too_long', detail: `${length} characters in all blocks together` }]
    : [];
}

/** Checks a modal or App Home view. */
export function checkView(view: unknown): Problem[] {
  if (!isObj(view)) return [{ error: 'invalid_arguments', detail: 'view is not an object' }];
  const problems = checkBlocks(view['blocks'], LIMIT.viewBlocks, ['table', 'data_table']);
  const report: Report = (path, text) =>
    problems.push({ error: 'invalid_arguments', detail: pointer('/view', path, text) });
  if (view['type'] !== 'modal' && view['type'] !== 'home') report('/type', 'must be modal or home');
  if (view['type'] === 'modal') {
    plainText(view['title'], '/title', LIMIT.viewTitle, report);
    for (const key of ['submit', 'close']) {
      if (view[key] !== undefined) plainText(view[key], `/${key}`, LIMIT.viewTitle, report);
    }
    const asks = objects(view['blocks']).some((block) => block['type'] === 'input');
    if (asks && view['submit'] === undefined)
      report('/submit', 'missing required field: submit (there is an input block)');
  }
  atMost(str(view['private_metadata']), '/private_metadata', LIMIT.privateMetadata, report);
  atMost(str(view['callback_id']), '/callback_id', LIMIT.id, report);
  if (Buffer.byteLength(JSON.stringify(view)) > LIMIT.viewBytes)
    problems.push({ error: 'view_too_large', detail: 'a view may take 250 kB' });
  return problems;
}

function checkBlocks(blocks: unknown, most: number, notHere: readonly string[] = []): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, text) =>
    problems.push({ error: 'invalid_blocks', detail: pointer('/blocks', path, text) });
  if (!Array.isArray(blocks)) {
    report('', 'must be an array');
    return problems;
  }
  if (blocks.length > most) report('', `no more than ${most} items allowed`);
  const ids = new Set<string>();
  for (const [index, block] of blocks.entries()) {
    const path = `/${index}`;
    checkBlock(block, path, report);
    const type = isObj(block) ? str(block['type']) : '';
    if (notHere.includes(type)) report(`${path}/type`, `${type} is not allowed on this surface`);
    const id = isObj(block) ? str(block['block_id']) : '';
    if (id !== '' && ids.has(id)) report(`${path}/block_id`, `block_id ${id} already exists`);
    ids.add(id);
  }
  const cells = objects(blocks)
    .filter((block) => block['type'] === 'table')
    .reduce((sum, block) => sum + textLength(block['rows']), 0);
  if (cells > LIMIT.tableText) report('', `no more than ${LIMIT.tableText} characters in all table cells`);
  return problems;
}

function checkBlock(block: unknown, path: string, report: Report): void {
  if (!isObj(block)) {
    report(path, 'must be an object');
    return;
  }
  atMost(str(block['block_id']), `${path}/block_id`, LIMIT.id, report);
  const check = BLOCK[str(block['type'])];
  if (check) check(block, path, report);
  else report(`${path}/type`, `unsupported type: ${str(block['type']) || 'none'}`);
}

const BLOCK: Readonly<Record<string, (block: Obj, path: string, report: Report) => void>> = {
  divider: () => {},
  header: (block, path, report) => plainText(block['text'], `${path}/text`, LIMIT.header, report),
  section: (block, path, report) => {
    if (block['text'] === undefined && block['fields'] === undefined)
      report(path, 'missing required field: text or fields');
    if (block['text'] !== undefined) anyText(block['text'], `${path}/text`, LIMIT.text, report);
    if (block['fields'] !== undefined) {
      each(block['fields'], `${path}/fields`, LIMIT.fields, report, (field, at) =>
        anyText(field, at, LIMIT.fieldText, report),
      );
    }
    if (block['accessory'] !== undefined) checkElement(block['accessory'], `${path}/accessory`, report);
  },
  context: (block, path, report) =>
    each(block['elements'], `${path}/elements`, LIMIT.contextElements, report, (element, at) => {
      if (element['type'] === 'image') checkElement(element, at, report);
      else anyText(element, at, LIMIT.text, report);
    }),
  context_actions: (block, path, report) =>
    each(block['elements'], `${path}/elements`, LIMIT.contextActions, report, (element, at) =>
      checkElement(element, at, report),
    ),
  actions: (block, path, report) => {
    const ids = new Set<string>();
    each(block['elements'], `${path}/elements`, LIMIT.actionsElements, report, (element, at) => {
      checkElement(element, at, report);
      const id = str(element['action_id']);
      if (id !== '' && ids.has(id)) report(`${at}/action_id`, `action_id ${id} already exists`);
      ids.add(id);
    });
  },
  input: (block, path, report) => {
    plainText(block['label'], `${path}/label`, LIMIT.label, report);
    if (block['hint'] !== undefined) plainText(block['hint'], `${path}/hint`, LIMIT.label, report);
    checkElement(block['element'], `${path}/element`, report);
  },
  image: (block, path, report) => {
    required(block['alt_text'], `${path}/alt_text`, LIMIT.imageText, report);
    if (block['title'] !== undefined) plainText(block['title'], `${path}/title`, LIMIT.imageText, report);
  },
  markdown: (block, path, report) => required(block['text'], `${path}/text`, LIMIT.markdown, report),
  alert: (block, path, report) => {
    anyText(block['text'], `${path}/text`, LIMIT.alert, report);
    const level = str(block['level']) || 'default';
    if (!['default', 'info', 'warning', 'error', 'success'].includes(level))
      report(`${path}/level`, `unknown level ${level}`);
  },
  rich_text: (block, path, report) => richText(block, path, report),
  table: (block, path, report) => {
    each(block['column_settings'] ?? [], `${path}/column_settings`, LIMIT.tableCells, report, () => {}, 0);
    if (!Array.isArray(block['rows']) || block['rows'].length === 0) {
      report(`${path}/rows`, 'missing required field: rows');
      return;
    }
    if (block['rows'].length > LIMIT.tableRows)
      report(`${path}/rows`, `no more than ${LIMIT.tableRows} items allowed`);
    for (const [index, row] of block['rows'].entries()) {
      each(row, `${path}/rows/${index}`, LIMIT.tableCells, report, (cell, at) => {
        if (cell['type'] === 'raw_text') required(cell['text'], `${at}/text`, Infinity, report);
        else if (cell['type'] === 'raw_number') {
          if (typeof cell['value'] !== 'number') report(`${at}/value`, 'must be a number');
        } else if (cell['type'] === 'rich_text') richText(cell, at, report);
        else report(`${at}/type`, `unsupported type: ${str(cell['type'])}`);
      });
    }
  },
  container: (block, path, report) => {
    if (block['title'] === undefined && block['rich_text_title'] === undefined)
      report(path, 'missing required field: title');
    if (block['title'] !== undefined)
      plainText(block['title'], `${path}/title`, LIMIT.containerTitle, report);
    each(block['child_blocks'], `${path}/child_blocks`, LIMIT.containerBlocks, report, (child, at) =>
      checkBlock(child, at, report),
    );
  },
};

function checkElement(element: unknown, path: string, report: Report): void {
  if (!isObj(element)) {
    report(path, 'must be an object');
    return;
  }
  const type = str(element['type']);
  const check = ELEMENT[type];
  if (!check) {
    report(`${path}/type`, `unsupported type: ${type || 'none'}`);
    return;
  }
  atMost(str(element['action_id']), `${path}/action_id`, LIMIT.id, report);
  if (element['confirm'] !== undefined) checkConfirm(element['confirm'], `${path}/confirm`, report);
  if (element['placeholder'] !== undefined)
    plainText(element['placeholder'], `${path}/placeholder`, LIMIT.placeholder, report);
  check(element, path, report);
}

const ELEMENT: Readonly<Record<string, (element: Obj, path: string, report: Report) => void>> = {
  button: (element, path, report) => {
    plainText(element['text'], `${path}/text`, LIMIT.buttonText, report);
    atMost(str(element['value']), `${path}/value`, LIMIT.buttonValue, report);
    atMost(str(element['url']), `${path}/url`, LIMIT.url, report);
    const style = element['style'];
    if (style !== undefined && style !== 'primary' && style !== 'danger')
      report(`${path}/style`, 'must be primary or danger');
  },
  image: (element, path, report) =>
    required(element['alt_text'], `${path}/alt_text`, LIMIT.imageText, report),
  plain_text_input: (element, path, report) => {
    const most = element['max_length'];
    if (typeof most === 'number' && most > LIMIT.inputMax)
      report(`${path}/max_length`, `must be at most ${LIMIT.inputMax}`);
  },
  static_select: (element, path, report) => options(element, path, LIMIT.options, report),
  multi_static_select: (element, path, report) => options(element, path, LIMIT.options, report),
  overflow: (element, path, report) => options(element, path, LIMIT.overflow, report),
  checkboxes: (element, path, report) => options(element, path, LIMIT.choices, report),
  radio_buttons: (element, path, report) => options(element, path, LIMIT.choices, report),
  users_select: () => {},
  multi_users_select: () => {},
  conversations_select: () => {},
  channels_select: () => {},
  number_input: () => {},
  datepicker: () => {},
  timepicker: () => {},
};

function options(element: Obj, path: string, most: number, report: Report): void {
  if (element['option_groups'] !== undefined) return;
  each(element['options'], `${path}/options`, most, report, (option, at) => {
    anyText(option['text'], `${at}/text`, LIMIT.optionText, report);
    atMost(str(option['value']), `${at}/value`, LIMIT.optionValue, report);
  });
}

function checkConfirm(confirm: unknown, path: string, report: Report): void {
  if (!isObj(confirm)) {
    report(path, 'must be an object');
    return;
  }
  if (confirm['title'] !== undefined)
    plainText(confirm['title'], `${path}/title`, LIMIT.confirmTitle, report);
  anyText(confirm['text'], `${path}/text`, LIMIT.confirmText, report);
  for (const key of ['confirm', 'deny']) {
    if (confirm[key] !== undefined) plainText(confirm[key], `${path}/${key}`, LIMIT.confirmButton, report);
  }
}

/** Slack refuses an empty text anywhere within rich text, and with it the whole message. */
function richText(block: Obj, path: string, report: Report): void {
  each(block['elements'], `${path}/elements`, Infinity, report, (element, at) => {
    if (element['type'] === 'text') required(element['text'], `${at}/text`, Infinity, report);
    else if (Array.isArray(element['elements'])) richText(element, at, report);
    else if (!LEAF.includes(str(element['type'])))
      report(`${at}/type`, `unsupported type: ${str(element['type'])}`);
  });
}

const LEAF = ['link', 'user', 'usergroup', 'channel', 'emoji', 'broadcast', 'date', 'color', 'team'];

function plainText(value: unknown, path: string, most: number, report: Report): void {
  if (!isObj(value) || value['type'] !== 'plain_text') report(path, 'must be a plain_text object');
  else required(value['text'], `${path}/text`, most, report);
}

function anyText(value: unknown, path: string, most: number, report: Report): void {
  if (!isObj(value) || (value['type'] !== 'plain_text' && value['type'] !== 'mrkdwn'))
    report(path, 'must be a plain_text or mrkdwn object');
  else required(value['text'], `${path}/text`, most, report);
}

function required(value: unknown, path: string, most: number, report: Report): void {
  if (typeof value !== 'string' || value === '') report(path, 'must be more than 0 characters');
  else atMost(value, path, most, report);
}

function atMost(value: string, path: string, most: number, report: Report): void {
  if (value.length > most) report(path, `must be less than ${most + 1} characters`);
}

function each(
  value: unknown,
  path: string,
  most: number,
  report: Report,
  check: (item: Obj, path: string) => void,
  least = 1,
): void {
  if (!Array.isArray(value) || value.length < least) {
    report(path, 'missing, or no items');
    return;
  }
  if (value.length > most) report(path, `no more than ${most} items allowed`);
  for (const [index, item] of value.entries()) {
    if (isObj(item)) check(item, `${path}/${index}`);
    else report(`${path}/${index}`, 'must be an object');
  }
}

/** The characters a reader sees: every `text` of every object in it. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + textLength(item), 0);
  if (!isObj(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + (key === 'text' && typeof item === 'string' ? item.length : textLength(item)),
    0,
  );
}

function pointer(root: string, path: string, text: string): string {
  return `${text} [json-pointer:${root}${path}]`;
}
