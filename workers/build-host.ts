/** The build host: how it is reached, and what a look at it finds. */
import { checkRequest, parseCheck } from '../src/host/build.js';
import { HostError, type HostTarget } from '../src/host/host.js';
import { redact } from '../src/log.js';
import type { Node } from '../src/node/node.js';
import type { BuildAsked, BuildCheck } from '../src/plan/build.js';
import type { HostPlan } from '../src/plan/plan.js';
import { sayOtherBuildKey } from '../src/words/build.js';
import type { WorkerDeps } from './deps.js';

/**
 * The build host in the form of a node, which it is not: it may be a machine that is one too. No node's name has an `@`, so whatever is
 * kept by a host's name (its pin, who has it in hand, its work) is another's. Null when none is configured.
 */
export function builderOf({ config }: WorkerDeps): Node | null {
  const { host } = config.build;
  if (host === undefined) return null;
  const place = host.replace(/^.*@/, '');
  return { name: `build@${place}`, os: 'linux', address: place, podCidr: '', ssh: host };
}

export function builderTarget({ name, address, ssh }: Node): HostTarget {
  return { name, address, os: 'linux', builds: true, ...(ssh ? { ssh } : {}) };
}

export interface BuilderLook {
  check: BuildCheck;
  hostKey: NonNullable<HostPlan['hostKey']>;
  /** What git printed beside its answer. */
  said: string;
}

/** Looks at the build host: what is there, and which commit the version is. It changes nothing. Throws HostError. */
export async function lookAtBuilder(
  deps: WorkerDeps,
  builder: Node,
  asked: BuildAsked,
  dir: string,
): Promise<BuilderLook> {
  const pinned = await deps.hostKeys.pinned(builder.name);
  const request = checkRequest(asked, dir);
  const key = pinned === null ? ('any' as const) : { fingerprint: pinned };
  const { data, printed, fingerprint } = await deps.hosts.request(builderTarget(builder), request, key);
  return {
    check: parseCheck(data, builder.name),
    hostKey: { fingerprint, firstContact: pinned === null },
    said: redact(printed).trim(),
  };
}

/** What is said of a build host that could not be asked. */
export function whyNot(error: unknown): string {
  if (!(error instanceof HostError)) throw error;
  return redact(error.kind === 'host-key-changed' ? sayOtherBuildKey(error.message) : error.message);
}
