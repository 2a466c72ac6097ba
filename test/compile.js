/** Compiles the programs that tests start: a start through tsx costs 3 s of a processor, a file of its own 1 s, and a whole run starts a hundred. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = [
  'src/main.ts',
  'src/console.ts',
  'workers/main.ts',
  'test/command/support/adder.ts',
  'test/host/main.ts',
  'test/network/claimer.ts',
];

/** What libraries that are CommonJS find in Node, and not in an ES module. */
const COMMONJS = [
  `import { createRequire } from 'node:module'`,
  'const require = createRequire(import.meta.url)',
  'const { dirname: __dirname, filename: __filename } = import.meta',
].join(';\n');

/** The folder that the compiled programs are in. Throws when a source does not parse. */
export async function compilePrograms() {
  const outdir = join(root, 'dist/tests');
  await build({
    entryPoints: PROGRAMS.map((program) => join(root, program)),
    ...{ outdir, outbase: root, bundle: true, platform: 'node', format: 'esm', target: 'node20' },
    logLevel: 'error',
    // There is that much less to read at each start.
    ...{ minifyWhitespace: true, legalComments: 'none' },
    // Native addons, which ssh2 can do without.
    external: ['*.node'],
    banner: { js: COMMONJS },
    plugins: [{ name: 'where-it-lies', setup: keepPlaces }],
  });
  return outdir;
}

/** What lies beside a source, such as a host's scripts, is found there. */
function keepPlaces({ onLoad }) {
  onLoad({ filter: /\/(src|workers|sandbox|test)\/.*\.ts$/ }, ({ path }) => ({
    contents: readFileSync(path, 'utf8').replaceAll(
      'import.meta.url',
      JSON.stringify(pathToFileURL(path).href),
    ),
    loader: 'ts',
  }));
}
