import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { literals } from './support/literals.js';

const ROOT = resolve(__dirname, '..');

interface SourceFile {
  path: string;
  text: string;
  /** Imported files, from the root, without extension. */
  local: string[];
  packages: string[];
}

function sources(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name);
      const text = readFileSync(join(ROOT, path), 'utf8');
      const specifiers = [
        ...text.matchAll(/^\s*(?:import|export)\b[^;]*?from '([^']+)'|^import '([^']+)'/gm),
      ].map((match) => match[1] ?? match[2] ?? '');
      const local = specifiers
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => relative(ROOT, resolve(ROOT, dirname(path), specifier)).replace(/\.js$/, ''));
      return { path, text, local, packages: specifiers.filter((specifier) => !specifier.startsWith('.')) };
    });
}

const src = sources('src');
const workers = sources('workers');
const all = [...src, ...workers];

/** Layers of src, lowest first. A file may import from its own layer and those below. */
const LAYERS: readonly (readonly string[])[] = [
  [
    'at-most',
    'errors',
    'ip',
    'log',
    'redact',
    'principal',
    'signals',
    'health',
    'redis',
    'due',
    'time',
    'source',
    'yaml',
  ],
  ['environment', 'config', 'config-checks'],
  ['node'],
  ['network', 'kube'],
  ['plan'],
  ['host', 'change', 'snippet', 'manifest'],
  ['watch'],
  ['stores'],
  ['job'],
  ['command', 'words'],
  ['slack', 'terminal'],
  ['main', 'console'],
];

function layerOf(path: string): number {
  const [, second = ''] = path.split('/');
  const name = second.replace(/\.ts$/, '');
  return LAYERS.findIndex((layer) => layer.includes(name));
}

describe('imports', () => {
  test('every file of src has a layer', () => {
    expect(src.filter((file) => layerOf(file.path) === -1).map((file) => file.path)).toEqual([]);
  });

  test('point one way', () => {
    const wrong = src.flatMap((file) =>
      file.local
        .filter((target) => layerOf(target) > layerOf(file.path))
        .map((target) => `${file.path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('src never imports workers, and neither imports what is only for trying out', () => {
    const wrong = all.flatMap((file) =>
      file.local
        .filter(
          (target) =>
            /^(test|sandbox|bench)\//.test(target) ||
            (file.path.startsWith('src') && target.startsWith('workers')),
        )
        .map((target) => `${file.path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('a file that calls itself pure, as all words do, imports no I/O, by package or by file', () => {
    const isPure = (file: SourceFile) => /^\/\*\*[\s\S]*?\bPure( types)?\.\s*\*\//.test(file.text);
    expect(src.filter((file) => file.path.startsWith('src/words/') && !isPure(file))).toEqual([]);
    const pure = new Set(src.filter(isPure).map((file) => file.path.replace(/\.ts$/, '')));
    const allowed = ['zod', 'ipaddr.js', 'yaml', 'node:crypto'];
    const wrong = src.filter(isPure).flatMap((file) => {
      // Types leave nothing behind at run time.
      const values = [...file.text.matchAll(/^import (?!type )([^;]*?) from '([^']+)'/gm)]
        .filter((match) => !/^\{\s*(type [^,}]+,?\s*)+\}$/.test(match[1] ?? ''))
        .map((match) => match[2] ?? '');
      return values
        .filter((specifier) =>
          specifier.startsWith('.')
            ? !pure.has(relative(ROOT, resolve(ROOT, dirname(file.path), specifier)).replace(/\.js$/, ''))
            : !allowed.includes(specifier),
        )
        .map((specifier) => `${file.path} → ${specifier}`);
    });
    expect(wrong).toEqual([]);
  });

  test.each<[string, RegExp]>([
    ['node-ssh', /^src\/host\/ssh/],
    ['@slack/bolt', /^src\/slack\//],
    ['bullmq', /^(src\/job\/queue\.ts|workers\/)/],
    ['pino', /^src\/(log\.ts|slack\/)/],
    ['ssh-config', /^src\/host\//],
    ['ipaddr.js', /^src\/ip\.ts$/],
    ['yaml', /^src\/(yaml\/|kube\/kubeconfig\.ts$)/],
  ])('%s comes in by one door', (library, door) => {
    const users = all.filter((file) =>
      file.packages.some((name) => name === library || name.startsWith(`${library}/`)),
    );
    expect(users.length).toBeGreaterThan(0);
    expect(users.map((file) => file.path).filter((path) => !door.test(path))).toEqual([]);
  });

  test('only register.ts hangs listeners into Bolt, each behind the guard (Q2)', () => {
    const hangs =
      /\b(app|host)\s*[.[]\s*(use|command|event|action|view|message|shortcut|options|function|listener)\b/;
    const doors = src.filter((file) => hangs.test(file.text)).map((file) => file.path);
    expect(doors).toEqual(['src/slack/register.ts']);
    expect(src.filter((file) => /\bnew App\(/.test(file.text)).map((file) => file.path)).toEqual([
      'src/slack/app.ts',
    ]);
  });

  test('the environment is read by entry points only', () => {
    const users = all.filter((file) => file.text.includes('process.env')).map((file) => file.path);
    expect(users.filter((path) => !/^(src\/(main|console)|workers\/main)\.ts$/.test(path))).toEqual([]);
  });
});

/** Two words in a row, or one between two expressions. */
const SENTENCE = /\p{L}[,.:?!]? \p{L}{2}|… \p{L}+ …/u;

describe('sentences', () => {
  /** The grammar and its arguments are tables of what is typed; the health routes talk to machines. */
  const APART = /^src\/(command\/(argument|format|grammar)|slack\/health-routes)\.ts$/;

  test('that people read are all in src/words', () => {
    const wrong = all
      .filter((file) => /^(src\/(slack|command)\/|src\/console\.ts|workers\/)/.test(file.path))
      .filter((file) => !APART.test(file.path))
      .flatMap((file) =>
        literals(file.text)
          // Redis scripts are no sentences.
          .filter((text) => SENTENCE.test(text) && !text.includes('redis.call'))
          .map((text) => `${file.path}: ${text}`),
      );
    expect(wrong).toEqual([]);
  });

  test('are found where they hide, and only there', () => {
    const source = `
      import { a } from './two words.js';
      // This is a comment.
      log.warn({ id }, 'not for people');
      deps.log.error(\`\${a} is lost\`);
      throw new HostError('for the operator');
      const name: 'a type' | null = null;
      say('Nothing was run.');
      say(\`\${a} of \${b}\`, \`change \${a}\`, [\`… and \${more ? 'much more' : 'none'}\`]);
      const label = { text: plainText('Roll back') };`;
    expect(literals(source).filter((text) => SENTENCE.test(text))).toEqual([
      'Nothing was run.',
      '… of …',
      '… and …',
      'much more',
      'Roll back',
    ]);
  });
});
