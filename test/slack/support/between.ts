/** Stands between the outbox and the fake Slack: makes its history searchable, which the fake does not offer, and its calls slow. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeSlack } from '../../../sandbox/slack/server.js';

/** The API's URL, and how to close it. `delayMs`: how long a call takes to reach Slack. */
export async function between(
  slack: FakeSlack,
  delayMs: (method: string) => number = () => 0,
): Promise<{ apiUrl: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const method = (request.url ?? '').replace('/api/', '');
    if (method === 'conversations.history' || method === 'conversations.replies') {
      const args = new URLSearchParams(body);
      const thread = args.get('ts') ?? undefined;
      const found = slack.messages(args.get('channel') ?? '').filter((message) => {
        const inThread = message.threadTs === thread || message.ts === thread;
        return inThread && !message.ephemeralTo && Number(message.ts) > Number(args.get('oldest'));
      });
      const messages = found.map(({ ts, text, metadata }) => ({ ts, text, metadata }));
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ok: true, messages }));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs(method)));
    const answer = await fetch(`${slack.apiUrl}${method}`, {
      method: 'POST',
      headers: {
        authorization: request.headers.authorization ?? '',
        'content-type': request.headers['content-type'] ?? '',
      },
      body,
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
