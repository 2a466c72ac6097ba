/** Slack's limits on blocks and views. Numbers: docs.slack.dev reference and @slack/types; where undocumented, said so. */

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
