/** The outbox's own line to Slack's Web API, and what its errors mean. */
import { webApi } from '@slack/bolt';
import type { Logger as PinoLogger } from 'pino';
import { boltLogger } from './bolt-log.js';

/**
 * A client apart from Bolt's: a 429 pauses a client's whole queue, and answers to people must not wait behind cards.
 * It never tries again by itself; a post that is repeated blindly may stand twice. Calls give up after 8 s.
 */
export function createWebClient(
  token: string,
  options: { apiUrl?: string | undefined; log: PinoLogger },
): webApi.WebClient {
  return new webApi.WebClient(token, {
    ...(options.apiUrl ? { slackApiUrl: options.apiUrl } : {}),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 8000,
    logger: boltLogger(options.log),
  });
}

/** Slack's trouble, not its answer. It passes, and what was asked for may have been done all the same. */
const TRANSIENT: readonly string[] = [
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
  'org_login_required',
];

/** Slack's own error code (`message_not_found`); null when Slack gave no answer that stands: after a timeout, or in trouble of its own. */
export function slackError(error: unknown): string | null {
  if (!(error instanceof webApi.WebAPIPlatformError)) return null;
  const { error: code } = error.data;
  return TRANSIENT.includes(code) ? null : code;
}

/** True when Slack gave no answer that stands; false for trouble of our own, such as a Redis that is away. */
export function isSlackAway(error: unknown): boolean {
  return error instanceof webApi.SlackError && slackError(error) === null;
}

/** Milliseconds that a 429 asks to wait; null for every other error. */
export function retryAfterMs(error: unknown): number | null {
  return error instanceof webApi.WebAPIRateLimitedError ? error.retryAfter * 1000 : null;
}

/** This copy of a card can't be edited any more. */
export const COPY_GONE: readonly string[] = [
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
  'not_in_channel',
  'is_inactive',
];

/** The bot may not write there. */
export const NO_ENTRY: readonly string[] = [
  'channel_not_found',
  'not_in_channel',
  'is_archived',
  'restricted_action',
  'restricted_action_read_only_channel',
  'user_not_in_channel',
  'cannot_dm_bot',
];

/** Slack finds the message itself wrong: too long, most likely. */
export const BAD_MESSAGE: readonly string[] = ['msg_blocks_too_long', 'invalid_blocks', 'msg_too_long'];
