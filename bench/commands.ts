/** Commands at a pace, typed into the fake Slack (with its limits) and answered by the real bot and workers: how long people wait. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxHosts } from '../sandbox/hosts/start.js';
import type { Message, Outcome } from '../sandbox/slack/types.js';
import { ALICE, startWorld, type World } from '../sandbox/world.js';
import { quantile } from './numbers.js';
import type { PutAway } from './put-away.js';
import { type Report, type Row, rate } from './report.js';

const PER_SECOND = 50;
const SECONDS = 12;
/** Enough that no channel gets more than a message a second, which is all that Slack shows. */
const CHANNELS = 64;
/** Every so many commands one asks for a node; the others ask for help and for the nodes. */
const ADD_EVERY = 10;
const WARM_UP = 100;
/** What people are promised, in milliseconds: a card within a second, and Slack's own limit for acknowledging. */
const CARD_MS = 1000;
const ACK_MS = 3000;

interface Typed {
  text: string;
  channel: string;
  /** Milliseconds since the epoch. */
  at: number;
  outcome: Promise<Outcome>;
}

export async function benchCommands(putAway: PutAway): Promise<Report> {
  const { world, hosts } = await openWorld(putAway);
  await typeAll(world, WARM_UP, () => 'help');
  let added = 0;
  const typed = await typeAll(world, PER_SECOND * SECONDS, (index) => {
    if (index % ADD_EVERY === 0) {
      const host = hosts[added];
      added += 1;
      return `add linux node ${host?.name} ${host?.address}`;
    }
    return index % 2 === 0 ? 'nodes' : 'help';
  });
  const outcomes = await Promise.all(typed.map(({ outcome }) => outcome));
  const unheard = outcomes.filter(({ ok }) => !ok).length;
  const answers = await answersTo(world, typed);
  const adds = typed.filter(isAdd);
  const cards = answers.filter((_answer, index) => isAdd(typed[index] as Typed));
  const row = (name: string, samples: readonly number[]): Row => ({
    name,
    class: 'all',
    kind: 'ours',
    samples,
  });
  const shown = (samples: readonly number[]) =>
    `p50 ${quantile(samples, 0.5).toFixed(0)} ms, p99 ${quantile(samples, 0.99).toFixed(0)} ms`;
  const acks = outcomes.map(({ latencyMs }) => latencyMs);
  const others = answers.filter((_answer, index) => !isAdd(typed[index] as Typed));
  return {
    bench: 'commands',
    of: { 'a second': PER_SECOND, seconds: SECONDS, channels: CHANNELS, 'of them adds': adds.length },
    rows: rate([
      row('command to ack', acks),
      row('command to card', cards),
      row('command to answer (help, nodes)', others),
    ]),
    facts: {
      'command to ack': shown(acks),
      'command to card': shown(cards),
      'command to answer': shown(others),
      'commands that were not acknowledged': unheard,
      'complaints of Slack': complaints(world),
    },
    expectations: [
      atMost('a card within a second, 99 of 100 times', quantile(cards, 0.99), CARD_MS),
      atMost('every command acknowledged within 3 s', Math.max(...acks), ACK_MS),
    ],
  };
}

async function openWorld(putAway: PutAway) {
  const workDir = await putAway.keep(mkdtemp(join(tmpdir(), 'fairway-bench-')), (dir) =>
    rm(dir, { recursive: true, force: true }),
  );
  const hosts = Array.from({ length: (PER_SECOND * SECONDS) / ADD_EVERY }, (_, index) => ({
    name: `node${index + 1}`,
    os: 'linux' as const,
    address: `10.0.0.${index + 1}`,
  }));
  const ssh = await putAway.keep(startSandboxHosts({ hosts, workDir }), (made) => made.close());
  const channels = Array.from({ length: CHANNELS }, (_, index) => ({
    id: `CBENCH${index + 1}`,
    name: `bench-${index + 1}`,
  }));
  const world = await putAway.keep(startWorld({ ssh, channels, env: { SLACK_CHANNEL: 'CBENCH1' } }), (made) =>
    made.close(),
  );
  return { world, hosts };
}

/** Types so many commands at the pace, over all channels in turn, however long their answers take. */
async function typeAll(
  world: World,
  count: number,
  textOf: (index: number) => string,
): Promise<readonly Typed[]> {
  const typed: Typed[] = [];
  const alice = world.slack.as(ALICE);
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    const late = start + (index * 1000) / PER_SECOND - performance.now();
    if (late > 0) await new Promise((resolve) => setTimeout(resolve, late));
    const channel = world.channels[index % CHANNELS] ?? '';
    const text = textOf(index);
    typed.push({ text, channel, at: Date.now(), outcome: alice.slash(text, channel) });
  }
  await Promise.all(typed.map(({ outcome }) => outcome));
  return typed;
}

/** Milliseconds from each command to what it brought up: its card, or its private answer. Throws when one never came. */
async function answersTo(world: World, typed: readonly Typed[]): Promise<number[]> {
  const taken = new Set<Message>();
  const waits: number[] = [];
  for (const command of typed) {
    const { act } = await command.outcome;
    const fits = (message: Message): boolean =>
      message.channel === command.channel &&
      !taken.has(message) &&
      (message.versions[0]?.at ?? 0) >= command.at &&
      (isAdd(command) ? message.metadata !== undefined : act !== undefined && message.answers === act);
    const message = await world.slack.waitFor(fits, 30_000);
    taken.add(message);
    waits.push((message.versions[0]?.at ?? 0) - command.at);
  }
  return waits;
}

function complaints({ slack }: World): string {
  const said = slack.violations.map(({ method, error, detail }) => `${method} ${error} ${detail}`);
  return said.length === 0 ? 'none' : [...new Set(said)].join('; ');
}

function isAdd({ text }: Typed): boolean {
  return text.startsWith('add ');
}

function atMost(text: string, measured: number, most: number) {
  return { text, measured: `${measured.toFixed(0)} ms`, met: measured <= most };
}
