import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { answer, type ListenerDeps } from '../../src/slack/guard.js';
import type { Call } from '../../src/slack/payload.js';
import { say } from '../../src/slack/reply.js';
import { type Bench, OPS, startBench, until } from './support/bench.js';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(async () => {
  await bench.stop();
});

test.each([true, false])(
  'an answer that has to wait for its turn is as quiet as it was meant: %s',
  async (quiet) => {
    const root = bench.slack.say('U0BOB', OPS, '<@U0BOT> nodes');
    const origin = { channel: OPS, user: 'U0BOB', thread: root.ts };
    const call = { origin, answerTo: origin } as Call;
    // Slack is not to be asked just now.
    const deps = { jobs: bench.jobs, outbox: { answer: async () => 1000 } } as unknown as ListenerDeps;
    await answer(deps, call, say('only an operator may'), quiet);
    const answers = () => bench.slack.messages(OPS).filter((message) => message.text.startsWith('only'));
    await until('the answer', () => answers().length === 1);
    expect(answers()[0]?.ephemeralTo).toBe(quiet ? 'U0BOB' : undefined);
  },
);
