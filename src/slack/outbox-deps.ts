/** What the outbox needs of the rest. */
import type { webApi } from '@slack/bolt';
import type { Redis } from 'ioredis';
import type { AuditLines } from '../change/audit-log.js';
import type { Card } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import type { Logger } from '../log.js';
import type { Keys } from '../redis.js';
import type { ClusterFacts } from './cluster.js';
import type { Current } from './current.js';
import type { Pace } from './pace.js';

/** Which messages show a change or a notice. */
export interface Cards {
  addCard(id: string, card: Card): Promise<void>;
  forgetCard(id: string, card: Card): Promise<void>;
  /** All of them show it now, as far as it was `due`. */
  cardShown(id: string, due: number): Promise<void>;
}

export interface CardDeps {
  slack: webApi.WebClient;
  redis: Redis;
  keys: Keys;
  pace: Pace;
  cluster: ClusterFacts;
  log: Logger;
  /** The change as it is stored now; null when there is none. */
  view(changeId: string): Promise<ChangeView | null>;
  /** The whole log of what a change builds; empty for all that build nothing. */
  buildLog(changeId: string): Promise<string>;
  /** As much of the end of the audit log as fits in so many bytes. */
  newestAudit(mostBytes: number): Promise<AuditLines>;
  /** The card of a change or a notice as it is to be shown now; null when there is none. */
  shown(id: string): Promise<Current | null>;
  cards: Cards;
  now(): Date;
}

/** Milliseconds to come back after; 0: nothing is left to do. */
export type Again = number;
