/** The console: the same commands from a shell on the machine, for when Slack is down. `npm run console -- nodes` */
import { userInfo } from 'node:os';
import { pipeline } from 'node:stream/promises';
import type { Actor } from './change/change.js';
import { accessOf, groupsOf, type Members } from './command/access.js';
import { type BotCommand, parseCommand } from './command/grammar.js';
import { normalize } from './command/normalize.js';
import { createDesk } from './command/run.js';
import { ConfigError, parseConfig } from './config.js';
import { isRefusal } from './errors.js';
import { Jobs } from './job/queue.js';
import { connectRedis, keys as keysOf } from './redis.js';
import { clusterFacts } from './slack/cluster.js';
import { replyMessage } from './slack/reply.js';
import { openStores } from './stores.js';
import { renderCard } from './terminal/card.js';
import { readPiped } from './terminal/piped.js';
import { sayRefusal } from './words/refusal.js';
import { plainVoice } from './words/voice.js';

const WIDTH = 110;

/** Texts of many lines are piped in. */
async function withPiped(command: BotCommand): Promise<BotCommand> {
  if (command.kind === 'adopt') return { ...command, list: await readPiped(process.stdin) };
  if (command.kind === 'check-manifest') return { ...command, text: await readPiped(process.stdin) };
  return command;
}

/** What is printed; in parts, for the audit log is longer than what memory should hold. */
async function* main(text: string): AsyncGenerator<string> {
  const config = parseConfig(process.env, 'console');
  const redis = connectRedis(config.redis.url);
  redis.on('error', () => undefined);
  const jobs = new Jobs(redis, config.redis.prefix, () => undefined);
  try {
    const login = userInfo().username;
    const actor: Actor = { id: `console:${login}`, via: 'console' };
    // Slack may be what is broken, so nobody is let in by a user group here.
    const unread = new Map<string, Members>(groupsOf(config.access).map((group) => [group, 'unknown']));
    const stores = openStores(redis, keysOf(config.redis.prefix), config.cluster);
    const desk = createDesk({
      ...stores,
      config,
      jobs,
      access: async () => accessOf(config.access, unread),
    });
    // Cards of changes asked for here go to the channel for notices.
    const origin = { channel: config.slack.channel, user: login };
    const command = parseCommand(normalize(text));
    const reply = await desk.run(await withPiped(command), actor, origin);
    // As they are, so that they can go into a file.
    if (reply.kind === 'export') yield `${reply.text.trimEnd()}\n`;
    else if (reply.kind === 'audit-file') yield* stores.audit.lines();
    else yield `${renderCard(replyMessage(reply, clusterFacts(config), new Date()).blocks, WIDTH)}\n`;
  } finally {
    await jobs.close();
    redis.disconnect();
  }
}

try {
  await pipeline(main(process.argv.slice(2).join(' ')), process.stdout, { end: false });
} catch (error) {
  if (isRefusal(error)) console.error(sayRefusal(error, plainVoice));
  else if (error instanceof ConfigError) console.error(error.message);
  // Whoever reads no further, such as `head`, has what they wanted.
  else if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  process.exitCode = 1;
}
