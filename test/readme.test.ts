import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const ROOT = resolve(__dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** What differs from run to run: times, hashes, keys, temporary paths. */
function steady(text: string): string {
  return (
    text
      .replace(/Log: \S+/g, 'Log: …')
      .replace(/Redis: \S+\./g, 'Redis: ….')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>')
      .replace(/SHA256:\S+/g, 'SHA256:…')
      .replace(/plan [0-9a-f]{12}/g, 'plan …')
      .split('\n')
      .map((line) => line.trimEnd())
      // How far a change got between two looks is a matter of milliseconds.
      .filter((line) => !line.startsWith('· '))
      .join('\n')
      .trim()
  );
}

async function sandbox(script: string): Promise<{ code: number; output: string }> {
  const child = spawn('npm', ['run', '-s', 'sandbox'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.end(script);
  const [code] = (await once(child, 'exit')) as [number];
  return { code, output: Buffer.concat(chunks).toString() };
}

describe('README', () => {
  test('its transcript is what the sandbox really prints', async () => {
    const shown = /<!-- transcript[^\n]*\n```text\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const typed = [...shown.matchAll(/^(?:alice|bob)> (.*)$/gm)].map((match) => match[1]);
    expect(typed.length).toBeGreaterThan(3);
    const { code, output } = await sandbox(`${typed.join('\n')}\n`);
    expect(steady(output)).toBe(steady(shown));
    expect(code).toBe(0);
  }, 90_000);

  test('names every variable of .env.example and no other', () => {
    const example = readFileSync(join(ROOT, '.env.example'), 'utf8');
    const variables = [...example.matchAll(/^([A-Z_]+)=/gm)].map((match) => match[1]).sort();
    const table = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('## How it works'));
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]),
    );
    expect(named.sort()).toEqual(variables);
  });

  test('its commands are scripts of package.json, its files are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, name = ''] of readme.matchAll(/npm run ([a-z:-]+)/g))
      expect(Object.keys(scripts)).toContain(name);
    for (const [, path = ''] of readme.matchAll(/`((?:src|test|docs)\/[^`\s]+)`/g))
      expect(() => readFileSync(join(ROOT, path))).not.toThrow(/ENOENT/);
  });
});
