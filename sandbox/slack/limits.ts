/** Which blocks and views Slack takes. Pure. */
import { anyText, atMost, each, plainText, pointer, type Report, required, textLength } from './check.js';
import { checkElement } from './check-element.js';
import { LIMIT, type Problem } from './numbers.js';
import { isObj, type Obj, objects, str } from './types.js';

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
  plan: (block, path, report) => {
    required(block['title'], `${path}/title`, Number.POSITIVE_INFINITY, report);
    for (const [index, task] of objects(block['tasks']).entries())
      checkTask(task, `${path}/tasks/${index}`, report);
  },
  task_card: (block, path, report) => checkTask(block, path, report),
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

/** `completed` is what everybody writes first; Slack wants `complete`. */
function checkTask(task: Obj, path: string, report: Report): void {
  required(task['task_id'], `${path}/task_id`, Number.POSITIVE_INFINITY, report);
  required(task['title'], `${path}/title`, Number.POSITIVE_INFINITY, report);
  if (!['pending', 'in_progress', 'complete', 'error'].includes(str(task['status'])))
    report(`${path}/status`, `unknown status ${str(task['status'])}`);
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
