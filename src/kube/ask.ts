/** The questions that Fairway asks an API server. It only ever reads. */
import { type ApiNode, readNodes, readVersion } from './answers.js';
import { askText } from './api-server.js';
import type { ClusterLogin } from './kubeconfig.js';
import { ApiError } from './trouble.js';

const SMALL = { withinMs: 10_000, mostBytes: 64 << 10 };
/** A node is 5 to 20 kB of JSON; before 1.9 all of them come as one page. */
const PAGE = { withinMs: 20_000, mostBytes: 8 << 20 };
const NODES_A_PAGE = 250;
/** More than any cluster of Kubernetes' has (its documented limit); whoever goes on and on is none. */
const MOST_NODES = 5000;

/** The server's version, such as `v1.5.2`. Throws an ApiError. */
export async function askVersion(login: ClusterLogin): Promise<string> {
  return readVersion(await askText(login, '/version', SMALL));
}

/** What `/healthz` says, `ok` as a rule. Throws an ApiError, also when it is not healthy (500, with what is not). */
export async function askHealth(login: ClusterLogin): Promise<string> {
  return (await askText(login, '/healthz', SMALL)).trim();
}

/** Every node: all pages, or an ApiError. */
export async function askNodes(login: ClusterLogin): Promise<ApiNode[]> {
  const all: ApiNode[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const from: string = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const page = readNodes(await askText(login, `/api/v1/nodes?limit=${NODES_A_PAGE}${from}`, PAGE));
    all.push(...page.nodes);
    if (all.length > MOST_NODES) throw new ApiError('too-long', `more than ${MOST_NODES} nodes`);
    next = page.next;
  }
  return all;
}
