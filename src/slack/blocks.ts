/** The few Block Kit shapes Fairway uses, and Slack's limits on them. Pure. */
/** Slack's limits; see https://docs.slack.dev/reference/block-kit. Texts count characters. */
export const LIMIT = {
  blocks: 50,
  /** Sum over all blocks, as JSON. Slack documents none; it has been seen to refuse 13,200. */
  message: 10_000,
  section: 3000,
  header: 150,
  button: 75,
  value: 2000,
} as const;

export type Mrkdwn = { type: 'mrkdwn'; text: string; verbatim: true };
export type PlainText = { type: 'plain_text'; text: string };
export type Button = {
  type: 'button';
  action_id: string;
  text: PlainText;
  value: string;
  style?: 'primary' | 'danger';
  confirm?: { title: PlainText; text: PlainText; confirm: PlainText; deny: PlainText };
};
export type Block =
  | { type: 'header'; text: PlainText }
  | { type: 'section'; text: Mrkdwn; block_id?: string }
  | { type: 'context'; elements: Mrkdwn[] }
  | { type: 'actions'; elements: Button[] };

/** A message as chat.postMessage takes it; `text` is what notifications and screen readers say. */
export type Message = { text: string; blocks: Block[] };

export function header(text: string): Block {
  const title = text.length > LIMIT.header ? `${text.slice(0, LIMIT.header - 1)}…` : text;
  return { type: 'header', text: plainText(title) };
}

/** `verbatim`: Slack makes no links or mentions of its own out of the text. */
export function mrkdwn(text: string): Mrkdwn {
  return { type: 'mrkdwn', text, verbatim: true };
}

export function plainText(text: string): PlainText {
  return { type: 'plain_text', text };
}

export function section(text: string): Block {
  return { type: 'section', text: mrkdwn(text) };
}

export function context(text: string): Block {
  return { type: 'context', elements: [mrkdwn(text)] };
}

export function actions(buttons: Button[]): Block[] {
  return buttons.length === 0 ? [] : [{ type: 'actions', elements: buttons }];
}

/** How much of LIMIT.message the blocks take. */
export function weigh(blocks: readonly Block[]): number {
  return JSON.stringify(blocks).length;
}

/**
 * Puts a message together within Slack's limits: `first` and `last` always stay, `more` is added in its order while it fits.
 * What does not fit is counted and said by `rest`.
 */
export function pack(
  first: readonly Block[],
  more: readonly Block[],
  last: readonly Block[],
  rest: (left: number) => Block,
): Block[] {
  let room = LIMIT.message - weigh([...first, rest(more.length), ...last]) - 10;
  let slots = LIMIT.blocks - first.length - last.length - 1;
  const kept: Block[] = [];
  for (const block of more) {
    room -= weigh([block]);
    slots -= 1;
    if (room < 0 || slots < 0) break;
    kept.push(block);
  }
  const left = more.length - kept.length;
  return [...first, ...kept, ...(left > 0 ? [rest(left)] : []), ...last];
}
