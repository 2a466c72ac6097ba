import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readNodeList } from '../src/command/node-list.js';
import { checkManifest } from '../src/manifest/check.js';
import { manifestMessage } from '../src/slack/manifest-message.js';
import { renderCard } from '../src/terminal/card.js';

const ROOT = resolve(__dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** What differs from run to run: times, hashes, keys, temporary paths. */
function steady(text: string): string {
  return text
    .replace(/Log: \S+/g, 'Log: …')
    .replace(/Redis: \S+\./g, 'Redis: ….')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<time>')
    .replace(/SHA256:\S+/g, 'SHA256:…')
    .replace(/plan `[0-9a-f]{12}`/g, 'plan …');
}

/**
 * What was typed, and the cards and answers that came, each in their order. How far a change got between two looks is a matter
 * of milliseconds, so progress lines and the card of a plan still in the making are left out.
 */
function read(transcript: string): { typed: string[]; shown: string[]; rest: string[] } {
  const blocks = [...steady(transcript).matchAll(/^┌[\s\S]*?^└$/gm)].map((match) => match[0]);
  const passing =
    /^┌ Fairway · c\d+ (planning|approved|applying|proving)|Approved `c\d+`: it runs now|is on its way/m;
  const lines = steady(transcript)
    .replace(/^┌[\s\S]*?^└$/gm, '')
    .split('\n');
  return {
    typed: lines.filter((line) => /^(alice|bob)> /.test(line)),
    shown: blocks.filter((block) => !passing.test(block)),
    rest: lines.filter((line) => line !== '' && !/^(alice|bob)> |^· /.test(line)),
  };
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
    expect(read(output)).toEqual(read(shown));
    expect(read(shown).shown).toHaveLength(4);
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

  test('what it shows of a manifest is what is found in it', () => {
    const shown = /<!-- findings -->\n```text\n([\s\S]*?)```/.exec(readme)?.[1];
    const pod = readFileSync(join(ROOT, 'test/manifest/fixtures/website-secret-pod.yaml'), 'utf8');
    const found = checkManifest(pod, { version: '1.5', nodes: [] });
    const check = { ...found, cluster: 'prod', version: '1.5', file: 'secret-pod.yaml' };
    expect(`${renderCard(manifestMessage(check).blocks, 110)}\n`).toBe(shown);
  });

  test('its list of nodes is one that adopt takes', () => {
    const list = /```yaml\n(cluster: prod[\s\S]*?)```/.exec(readme)?.[1] ?? '';
    expect(readNodeList(list, { name: 'prod', cidr: '192.168.0.0/16' })).toHaveLength(2);
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
