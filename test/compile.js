/** Compiles the programs that tests start: a start through tsx costs 2 s of CPU more, and a whole run starts a hundred. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist/tests');

/** The folder that the compiled programs are in. Throws when a source does not parse. */
export async function compilePrograms() {
  const files = ['src', 'workers', 'sandbox', 'test/command', 'test/network'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  await Promise.all(files.map(compile));
  return target;
}

async function compile(file) {
  const source = () => readFileSync(join(root, file), 'utf8');
  if (extname(file) === '.ts') {
    const { code } = await transform(source(), {
      filename: join(root, file),
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
      sourceMaps: 'inline',
      configFile: false,
      swcrc: false,
    });
    put(file.replace(/\.ts$/, '.js'), code);
  } else if (extname(file) !== '') put(file, source());
}

/** Two runs may do it at once, and a program of the other may be reading. */
function put(file, content) {
  const path = join(target, file);
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
