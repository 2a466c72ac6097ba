/** Slack's request signing. */
import { createHmac } from 'node:crypto';

/** The headers Slack signs a request to the app with. `timestamp` in seconds. */
export function signedHeaders(secret: string, body: string, timestamp: number): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(timestamp), 'x-slack-signature': `v0=${mac}` };
}
