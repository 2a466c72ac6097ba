/** The clickable things of a message's blocks, and the inputs of a modal's. Pure. */
import { isObj, type Obj, objects, str } from './types.js';

export interface Control {
  blockId: string;
  element: Obj;
  /** A menu's entry, when the control is one. */
  option?: Obj;
  label: string;
}

/** Every button and menu entry, in reading order. */
export function controls(blocks: readonly Obj[]): Control[] {
  return blocks.flatMap((block) => {
    const elements = block['type'] === 'actions' ? objects(block['elements']) : objects([block['accessory']]);
    const inner = block['type'] === 'container' ? controls(objects(block['child_blocks'])) : [];
    return [...elements.flatMap((element) => ofElement(str(block['block_id']), element)), ...inner];
  });
}

/** The control with that action_id, else with that label (case and emoji aside), else whose label starts with those words. */
export function findControl(blocks: readonly Obj[], wanted: string): Control | undefined {
  const all = controls(blocks);
  return (
    all.find((control) => control.element['action_id'] === wanted) ??
    all.find((control) => plain(control.label) === plain(wanted)) ??
    all.find((control) => plain(wanted) !== '' && plain(control.label).startsWith(`${plain(wanted)} `))
  );
}

function ofElement(blockId: string, element: Obj): Control[] {
  if (element['type'] === 'button') return [{ blockId, element, label: textOf(element['text']) }];
  return objects(element['options']).map((option) => ({
    blockId,
    element,
    option,
    label: textOf(option['text']),
  }));
}

function plain(label: string): string {
  return label
    .replace(/:[a-z0-9_+-]+:/g, '')
    .replace(/[^\p{L}\p{N}\s]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

function textOf(value: unknown): string {
  return isObj(value) ? str(value['text']) : '';
}

export interface Input {
  actionId: string;
  label: string;
  /** Required, and nothing was given: Slack's client refuses to submit. */
  missing: boolean;
  state: Obj;
}

/** An input block as it goes into `view.state.values`, with the value given for its action_id or block_id. */
export function findInput(block: Obj, values: Readonly<Record<string, string>>): Input {
  const element = isObj(block['element']) ? block['element'] : {};
  const type = str(element['type']);
  const actionId = str(element['action_id']) || 'input';
  const given =
    values[actionId] ?? values[str(block['block_id'])] ?? (str(element['initial_value']) || undefined);
  const options = objects(element['options']);
  const chosen = options.filter((option) =>
    (given ?? '').split(',').some((each) => option['value'] === each || textOf(option['text']) === each),
  );
  const state = {
    type,
    ...(options.length === 0
      ? { value: given ?? null }
      : type === 'checkboxes' || type.startsWith('multi_')
        ? { selected_options: chosen }
        : { selected_option: chosen[0] ?? element['initial_option'] ?? null }),
  };
  const empty =
    options.length === 0
      ? !given
      : chosen.length === 0 && !element['initial_option'] && !element['initial_options'];
  return { actionId, label: textOf(block['label']), missing: empty && block['optional'] !== true, state };
}
