/** Labs run side by side: each takes a numbered slot, which gives it its names, its way in, and its folder. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killAll, pidsIn, run, startTime } from './system.js';

const ROOT = '/var/tmp/fairway-lab';

export interface Slot {
  number: number;
  dir: string;
  /** What the names of its namespaces begin with. */
  prefix: string;
  /** The device in the root namespace that leads into the lab. */
  device: string;
  /** Source address, from 198.18.0.0/15 (benchmarks, RFC 2544). Only packets from here are routed into the lab: nothing else of the machine notices it. */
  source: string;
  /** The other end of that link. */
  router: string;
  table: number;
}

/** Takes a free slot, after sweeping away what crashed runs left. */
export async function takeSlot(): Promise<Slot> {
  mkdirSync(ROOT, { recursive: true });
  await sweep();
  for (let number = 1; number < 250; number += 1) {
    const slot = slotAt(number);
    try {
      mkdirSync(slot.dir);
    } catch {
      continue;
    }
    sign(slot);
    return slot;
  }
  throw new Error(`no free slot under ${ROOT}`);
}

/** Ends a lab's processes, and removes its namespaces, its way in and its folder. Safe to repeat. */
export async function freeSlot(slot: Slot): Promise<void> {
  const names = namespacesOf(slot);
  await killAll(pidsIn(names));
  const { device, source, table } = slot;
  const lines = [
    ...names.map((name) => `netns del ${name}`),
    `link del ${device}`,
    `rule del from ${source} lookup ${table}`,
  ];
  // What is not there any more was removed by an earlier try.
  await run('ip', ['-force', '-batch', '-'], `${lines.join('\n')}\n`).catch(() => undefined);
  rmSync(slot.dir, { recursive: true, force: true });
}

async function sweep(): Promise<void> {
  for (const name of readdirSync(ROOT)) {
    const slot = slotAt(Number(name));
    const [pid = '', started] = readOwner(slot);
    if (pid === '' || startTime(Number(pid)) === started) continue;
    try {
      // Of several that sweep, one can move the file.
      renameSync(join(slot.dir, 'owner'), join(slot.dir, 'crashed'));
    } catch {
      continue;
    }
    sign(slot);
    await freeSlot(slot);
  }
}

function sign(slot: Slot): void {
  writeFileSync(join(slot.dir, 'owner'), `${process.pid} ${startTime(process.pid)}`);
}

/** Empty while its taker has not yet signed it. */
function readOwner(slot: Slot): string[] {
  try {
    return readFileSync(join(slot.dir, 'owner'), 'utf8').split(' ');
  } catch {
    return [];
  }
}

function namespacesOf(slot: Slot): string[] {
  try {
    return readdirSync('/run/netns').filter((name) => name.startsWith(slot.prefix));
  } catch {
    return [];
  }
}

function slotAt(number: number): Slot {
  return {
    number,
    dir: join(ROOT, String(number)),
    prefix: `fw${number}-`,
    device: `fw${number}`,
    source: `198.18.${number}.1`,
    router: `198.18.${number}.2`,
    table: 20_000 + number,
  };
}
