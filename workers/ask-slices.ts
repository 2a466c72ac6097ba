/** What the API server has to say on the pod CIDR of a node that is to join (S19). */
import { isRefusal, Refusal } from '../src/errors.js';
import type { Cidr } from '../src/ip.js';
import { attempt } from '../src/kube/api-server.js';
import { askNodes } from '../src/kube/ask.js';
import { checkSlice, slicesFor } from '../src/kube/slices.js';
import type { Trouble } from '../src/kube/trouble.js';
import type { WorkerDeps } from './deps.js';

export interface AskedSlices {
  /** The node has it there already, so it gets this one or none. */
  own: Cidr | null;
  /** What other nodes have there, which this one does not get. */
  others: Cidr[];
  /** It could not be asked: whether it agrees is unknown, which is no disagreement. */
  unread?: Trouble;
}

/** Asks, when there is a kubeconfig. Throws a Refusal where the API server disagrees with what was asked for. */
export async function askSlices(
  { login, config }: WorkerDeps,
  name: string,
  asked: Cidr | undefined,
): Promise<AskedSlices> {
  if (login === null) return { own: null, others: [] };
  const answer = await attempt(() => askNodes(login));
  if ('trouble' in answer) return { own: null, others: [], unread: answer.trouble };
  const slices = slicesFor(name, answer.said, config.cluster.clusterCidr);
  checkSlice(name, asked, slices);
  return { own: slices.own, others: slices.others.map(({ podCidr }) => podCidr) };
}

const OF_A_SLICE = ['pod-cidr-outside', 'pod-cidr-size', 'pod-cidr-held', 'pod-cidr-overlaps'] as const;

/** A slice that can't be given was not asked for, but is the API server's: its refusal says what to do there. */
export function asOfApi(error: unknown, apiNode: string): unknown {
  for (const code of OF_A_SLICE)
    if (isRefusal(error, code)) return new Refusal(code, { ...error.facts, apiNode });
  return error;
}
