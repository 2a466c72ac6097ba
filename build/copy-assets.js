// Copies what `tsc` leaves behind: the hosts' scripts and Redis' Lua, each to its place beside the compiled code.
import { cpSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [target = join(root, 'dist')] = process.argv.slice(2);

for (const file of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (!['.sh', '.pl', '.ps1', '.lua'].includes(extname(file))) continue;
  cpSync(join(root, 'src', file), join(target, 'src', file));
}
