/** A process of its own for desk.test.ts: asks for as many nodes as it is told, all at once, and prints the changes that came of it. */
import { parseCommand } from '../../../src/command/grammar.js';
import { openDesk } from './desk.js';

const [url = '', prefix = '', who = '', count = '0'] = process.argv.slice(2);
const { desk, close } = openDesk(url, prefix);

async function add(i: number): Promise<string> {
  const command = parseCommand(`add linux node ${who}-${i} 10.${who.charCodeAt(0)}.0.${i + 1}`);
  const reply = await desk.run(
    command,
    { id: 'T1:U0OPER', via: 'slash' },
    { channel: 'C0OPS', user: 'U0OPER' },
  );
  return reply.kind === 'change-card' ? reply.id : reply.kind;
}

process.stdout.write(
  JSON.stringify(await Promise.all(Array.from({ length: Number(count) }, (_, i) => add(i)))),
);
await close();
