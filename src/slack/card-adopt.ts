/** An adoption as its card shows it: what is left out, what is recorded, and which routes become ours. Pure. */
import type { AdoptPlan } from '../plan/plan.js';
import {
  leftOutHead,
  leftOutLine,
  memberLine,
  ownHead,
  ownLines,
  recordedHead,
  recordedLine,
  toNobodyLine,
} from '../words/adopt.js';
import { codeBlock, cost, lines } from '../words/mrkdwn.js';
import { moreInDetails } from '../words/phrase.js';
import { slackVoice } from '../words/voice.js';
import { type Block, section } from './blocks.js';

/** A part of the card; what does not fit on it is in the file. */
const PART = 1400;
const OWN_ON_CARD = 1200;

/** What is not recorded, each with its reason and remedy; and what may have been forgotten. */
export function notRecorded(plan: AdoptPlan): Block[] {
  const left = plan.leftOut.map((each) => `🚫 ${leftOutLine(each, slackVoice)}`);
  return [
    ...(left.length > 0 ? [section([leftOutHead, lines(left, 2400, moreInDetails)].join('\n'))] : []),
    ...(plan.toNobody.length > 0
      ? [section(lines(plan.toNobody.map(toNobodyLine), 900, moreInDetails))]
      : []),
  ];
}

/** What is recorded, in parts of a few lines, so that a long list is cut late. */
export function recorded(plan: AdoptPlan): Block[] {
  const adopted = new Set(plan.nodes.map((node) => node.name));
  const members = plan.routes.filter(({ host }) => !adopted.has(host));
  const own = ownLines(plan);
  return [
    ...parts([
      recordedHead,
      ...plan.nodes.map((_node, index) => recordedLine(plan, index)),
      ...members.map(memberLine),
    ]),
    ...(own.length > 0
      ? [section(`${ownHead}\n${codeBlock(lines(own, OWN_ON_CARD, moreInDetails), 2 * OWN_ON_CARD)}`)]
      : []),
  ];
}

function parts(all: readonly string[]): Block[] {
  const groups: string[][] = [];
  let room = 0;
  for (const line of all) {
    room -= cost(line) + 2;
    if (room < 0) {
      groups.push([]);
      room = PART - cost(line);
    }
    groups.at(-1)?.push(line);
  }
  return groups.map((group) => section(group.join('\n')));
}
