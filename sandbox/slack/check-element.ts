/** Which interactive elements Slack takes. Pure. */
import { anyText, atMost, each, plainText, type Report, required } from './check.js';
import { LIMIT } from './numbers.js';
import { isObj, type Obj, str } from './types.js';

/** Checks a button, menu or input and what hangs on it. */
export function checkElement(element: unknown, path: string, report: Report): void {
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
