import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from './lab/requirements.js';

interface Row {
  name: string;
  class: string;
  kind: string;
  median: number;
  toBestTool: number | null;
  toBestLoop: number | null;
}

interface Expectation {
  text: string;
  met: boolean | null;
}

describeWith(['root'], 'npm run bench -- routes', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-bench-test-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('measures every contender that is installed, and writes what it prints', async () => {
    const file = join(dir, 'routes.json');
    const args = ['--import', 'tsx', 'bench/main.ts', 'routes', '3', '--rounds', '1', '--json', file];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: process.env });
    const report = JSON.parse(readFileSync(file, 'utf8')) as { rows: Row[]; expectations: Expectation[] };
    const rowOf = (kind: string, group: string) =>
      report.rows.filter((row) => row.kind === kind && row.class === group);
    for (const group of ['cold', 'warm']) {
      expect(rowOf('ours', group)).toHaveLength(1);
      expect(rowOf('loop', group)).toHaveLength(1);
      expect(rowOf('tool', group).map(({ name }) => name)).toContainEqual(
        expect.stringMatching(/^ssh.*xargs/),
      );
      expect(Math.min(...rowOf('tool', group).map(({ toBestTool }) => toBestTool ?? 0))).toBe(1);
    }
    for (const row of report.rows) {
      expect(row.median).toBeGreaterThan(0);
      expect(stdout).toContain(row.name);
    }
    // They are said of 250 hosts, and three neither meet nor miss them.
    expect(report.expectations).toHaveLength(2);
    for (const { text, met } of report.expectations) {
      expect(text).toContain('at 250 hosts');
      expect(met).toBeNull();
    }
    expect(stdout).not.toMatch(/NOT MET|^met:/m);
  }, 180_000);
});
