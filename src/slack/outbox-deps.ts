/** What the outbox needs of the rest. */
import type { webApi } from '@slack/bolt';
import type { Redis } from 'ioredis';
import type { Card } from '../change/change.js';
import type { ChangeView } from '../command/reply.js';
import type { Logger } from '../log.js';
import type { Keys } from '../redis.js';
import type { ClusterFacts } from './cluster.js';
import type { Pace } from './pace.js';

export interface CardDeps {
  slack: webApi.WebClient;
  redis: Redis;
  keys: Keys;
  pace: Pace;
  cluster: ClusterFacts;
  log: Logger;
  /** The change as it is stored now; null when there is none. */
  view(changeId: string): Promise<ChangeView | null>;
  cards: {
    addCard(changeId: string, card: Card): Promise<void>;
    forgetCard(changeId: string, card: Card): Promise<void>;
  };
  now(): Date;
}

/** Milliseconds to come back after; 0: nothing is left to do. */
export type Again = number;
