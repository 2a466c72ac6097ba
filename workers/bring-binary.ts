/** Brings a binary from the build host to a node: what is not there yet, with its sum checked at both ends. */
import type { HostResult } from '../src/change/change.js';
import type { Work } from '../src/change/work.js';
import { type BinarySeen, binaryRequest, parseBinary, partPath } from '../src/host/binary.js';
import { parseSum, sumRequest } from '../src/host/build.js';
import { HostError } from '../src/host/host.js';
import type { Held } from '../src/host/host-lease.js';
import { redact } from '../src/log.js';
import type { BinarySpec, DeliverPlan } from '../src/plan/plan.js';
import { sayBrokenOff, sayCopied, sayNoRoom } from '../src/words/deliver.js';
import { builderTarget } from './build-host.js';
import type { WorkerDeps } from './deps.js';
import { contextOf, expectedKey } from './read-hosts.js';
import type { Teller } from './teller.js';

type Result = Omit<HostResult, 'host' | 'at'>;

/** Slack allows 50 edits a minute for a workspace. */
const TELL_MS = 4_000;
/** What Windows itself needs to stay well, beside the file. */
const SPARE_BYTES = 512 * 1024 ** 2;

export interface Errand {
  work: Work;
  held: Held;
  plan: DeliverPlan;
  nodeKey: { fingerprint: string };
  teller: Teller;
  /** The node, or the build host, has answered. */
  heard(): void;
  /** Of the node's system drive. */
  freeBytes(): Promise<number>;
}

/** Copies what is missing of the file: `there` when nothing was, `copied` once it has the right sum; else why it has not. Throws HostError. */
export async function bringBinary(
  deps: WorkerDeps,
  errand: Errand,
  binary: BinarySpec,
): Promise<'there' | 'copied' | Result> {
  const { name } = errand.work.node;
  const seen = await ask(deps, errand, binary, 'look');
  errand.heard();
  if (seen.sha256 === binary.sha256) return 'there';
  const free = await errand.freeBytes();
  if (free < binary.size - seen.partBytes + SPARE_BYTES)
    return { status: 'failed', error: sayNoRoom(name, free, binary.size) };
  const offset = await goodPart(deps, errand, binary, seen);
  errand.heard();
  const stopped = offset < binary.size ? await copy(deps, errand, binary, offset) : null;
  if (stopped !== null) return stopped;
  await ask(deps, errand, binary, 'finish');
  return 'copied';
}

/** Whether somebody wants the work's change to end. */
export async function isCancelled(deps: WorkerDeps, { changeId }: Work): Promise<boolean> {
  return (await deps.changes.get(changeId)).cancelRequestedBy !== undefined;
}

/** Null once all of it is over. */
async function copy(
  deps: WorkerDeps,
  errand: Errand,
  binary: BinarySpec,
  offset: number,
): Promise<Result | null> {
  const { work, plan, nodeKey } = errand;
  const { target } = await contextOf(deps, work.node);
  const from = {
    target: builderTarget(plan.builder),
    key: await builderKey(deps, plan),
    path: plan.built.path,
  };
  const to = { target, key: nodeKey, path: partPath(binary) };
  const isWanted = progress(deps, errand, binary.size);
  let over = offset;
  try {
    const isWhole = await deps.hosts.copy(from, to, offset, (bytes) => {
      errand.heard();
      over = bytes;
      return isWanted(bytes);
    });
    return isWhole ? null : { status: 'cancelled' };
  } catch (error) {
    if (!(error instanceof HostError) || error.detail.code !== 'SFTP') throw error;
    const why = redact(error.message);
    return {
      status: 'failed',
      error: sayBrokenOff(work.node.name, plan.builder.name, over, binary.size, why),
    };
  }
}

/** Shows on the card how far it is, as often as Slack allows. False: somebody wants it to end. */
function progress(deps: WorkerDeps, { work, teller }: Errand, size: number): (bytes: number) => boolean {
  let toldAt = 0;
  let isEnding = false;
  const look = async (bytes: number): Promise<void> => {
    await teller.tell(sayCopied(bytes, size));
    isEnding ||= await isCancelled(deps, work);
  };
  return (bytes) => {
    if (Date.now() - toldAt >= TELL_MS) {
      toldAt = Date.now();
      // Without Redis it goes on; the next look tells.
      void look(bytes).catch(() => undefined);
    }
    return !isEnding;
  };
}

/** How many bytes are there already that are the file's own. */
async function goodPart(
  deps: WorkerDeps,
  { plan }: Errand,
  { size }: BinarySpec,
  { partBytes, partSha256 }: BinarySeen,
): Promise<number> {
  if (partBytes === 0 || partBytes > size) return 0;
  const request = sumRequest(plan.built.path, partBytes);
  const { data } = await deps.hosts.request(
    builderTarget(plan.builder),
    request,
    await builderKey(deps, plan),
  );
  return parseSum(data, plan.builder.name) === partSha256 ? partBytes : 0;
}

async function ask(
  deps: WorkerDeps,
  { work, held, nodeKey }: Errand,
  binary: BinarySpec,
  action: 'look' | 'finish',
): Promise<BinarySeen> {
  const { target } = await contextOf(deps, work.node);
  const { data } = await deps.hosts.request(target, binaryRequest(binary, action, held.fence), nodeKey);
  return parseBinary(data, work.node.name);
}

async function builderKey(deps: WorkerDeps, { builder }: DeliverPlan): Promise<{ fingerprint: string }> {
  const key = expectedKey(await deps.hostKeys.pinned(builder.name));
  return key === 'any' ? { fingerprint: 'none' } : key;
}
