/** A card as a message: found again in a channel's history by its metadata. Pure types. */
import type { Message } from './blocks.js';

export type CardMessage = Message & {
  metadata: {
    event_type: 'fairway_change' | 'fairway_notice';
    event_payload: { id: string; state: string };
  };
};
