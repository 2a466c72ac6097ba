/** `npm run bench -- routes 250 | bulk 20 100 | commands | watch 250 10 | faults`, with `--json FILE`. See README.md beside this file. */
import { parseArgs } from 'node:util';
import { benchBulk } from './bulk.js';
import { benchCommands } from './commands.js';
import { benchFaults } from './faults.js';
import { puttingAway } from './put-away.js';
import { publish, type Report } from './report.js';
import { benchRoutes } from './routes.js';
import { benchWatch } from './watch.js';

const USAGE = `npm run bench -- routes [hosts, 50]         a node joined: a route on every host
npm run bench -- bulk [nodes, 20] [hosts, 100]  many nodes approved together
npm run bench -- commands                       50 commands a second, by Slack
npm run bench -- watch [hosts, 50] [minutes, 2] hosts that are watched while nothing happens, then all restart at once
npm run bench -- faults                         each fault, and what the channel saw after how long
  --json FILE     the same as JSON
  --rounds N      measured rounds of routes (3)
  --full-tables   routes: every host holds its routes to all others already
  --only A,B      routes: only rows whose name or class has one of these in it`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    'full-tables': { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const [bench, ...rest] = positionals;

function count(index: number, otherwise: number): number {
  const number = Number(rest[index] ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${rest[index]} is not a count\n${USAGE}`);
  return number;
}

function needRoot(): void {
  if (process.getuid?.() !== 0)
    throw new Error('needs root: its hosts are network namespaces with an sshd each');
}

async function run(): Promise<Report> {
  switch (bench) {
    case 'routes':
      needRoot();
      return puttingAway((putAway) =>
        benchRoutes(
          {
            hosts: count(0, 50),
            rounds: Number(values.rounds),
            fullTables: values['full-tables'],
            only: values.only?.split(','),
          },
          putAway,
        ),
      );
    case 'bulk':
      needRoot();
      return puttingAway((putAway) => benchBulk({ nodes: count(0, 20), hosts: count(1, 100) }, putAway));
    case 'watch':
      needRoot();
      return puttingAway((putAway) => benchWatch({ hosts: count(0, 50), minutes: count(1, 2) }, putAway));
    case 'faults':
      needRoot();
      return puttingAway(benchFaults);
    case 'commands':
      return puttingAway(benchCommands);
    default:
      throw new Error(USAGE);
  }
}

try {
  const report = await run();
  publish(report, values.json);
  // Times depend on the machine and on what else it does; what is counted does not.
  if (report.bench === 'bulk' && report.expectations.some(({ met }) => !met)) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
