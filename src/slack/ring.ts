/** Whom a change is to ring, and once for what: its card is edited in place, which no client of Slack's notices. Pure. */
import type { Change, ChangeState } from '../change/change.js';
import { FAIRWAY, isGroup, isSamePerson, personOf } from '../principal.js';
import { sayEnded, sayWaits } from '../words/ring.js';
import type { Message } from './blocks.js';
import { say } from './reply.js';

export interface Ring {
  /** What it rings for. It never does so twice. */
  key: string;
  /** Milliseconds since the epoch: not before. */
  from: number;
  /** For others than the one who asked: a direct message would reach none of them. */
  isForOthers: boolean;
  message: Message;
}

export interface RingFacts {
  /** Principals that may approve. */
  approvers: readonly string[];
  /** Whether the requester needs nobody else's approval. */
  isAlone: boolean;
}

/** Whoever looks at the channel anyway has decided by then, and nobody else has to look up. */
const DECIDED_WITHIN_MS = 5_000;
/** What is older rings nobody any more: Slack was away, or what was rung for is forgotten. */
const NEWS_FOR_MS = 24 * 3600_000;
/** More names than this are a crowd in which everybody waits for the others. */
const MOST_NAMES = 3;

const RINGING_ENDS: readonly ChangeState[] = ['denied', 'expired', 'stale', 'failed', 'owing'];

/** Null: it rings nobody. Whoever acts at the console sees there how things go, and Slack may be what is broken. */
export function ringOf(change: Change, facts: RingFacts, now: Date): Ring | null {
  if (change.requester.startsWith('console:')) return null;
  const ring = change.state === 'pending' ? waiting(change, facts) : ended(change);
  return ring !== null && now.getTime() - ring.from < NEWS_FOR_MS ? ring : null;
}

function waiting(change: Change, { approvers, isAlone }: RingFacts): Ring | null {
  const { requester, decisions, sealedAt, planHash = '' } = change;
  const through = [requester, ...decisions.map(({ actor }) => actor)];
  const others = approvers.filter((each) => !through.some((actor) => isSamePerson(each, actor)));
  const named = others.filter(isOfSlack).slice(0, MOST_NAMES);
  if (isAlone || sealedAt === undefined || named.length === 0) return null;
  return {
    key: `waits ${planHash}`,
    from: Date.parse(sealedAt) + DECIDED_WITHIN_MS,
    isForOthers: true,
    message: say(sayWaits(change, named, others.length > named.length)),
  };
}

function ended(change: Change): Ring | null {
  const { state, requester, rolledBackBy, decisions, finishedAt } = change;
  if (!RINGING_ENDS.includes(state) || finishedAt === undefined) return null;
  const approved = decisions.filter(({ verdict }) => verdict === 'approve').map(({ actor }) => actor);
  // Of what Fairway asked for by itself those hear who let it.
  const asked = rolledBackBy ?? requester;
  const whom = (asked === FAIRWAY ? approved : [asked]).filter(isOfSlack);
  const ownNo = state === 'denied' && isSamePerson(decisions.at(-1)?.actor ?? '', asked);
  if (ownNo || whom.length === 0) return null;
  const message = say(sayEnded(change, whom.slice(0, MOST_NAMES)));
  return {
    key: `${state} ${finishedAt}`,
    from: Date.parse(finishedAt),
    isForOthers: asked === FAIRWAY,
    message,
  };
}

/** Somebody, or a group, that Slack can ring. */
function isOfSlack(id: string): boolean {
  return isGroup(id) || /^[UW][A-Z0-9]+$/.test(personOf(id));
}
