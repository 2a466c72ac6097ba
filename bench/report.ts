/** What a bench prints, and writes as JSON: rows with their ratio to the best peer, and what was expected of them. */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { median } from './numbers.js';

/** Rows are compared within their class only. */
export type Class = 'cold' | 'warm' | 'all';

export interface Row {
  name: string;
  class: Class;
  /** `tool`: what somebody would use instead. `loop`: hand-written for this one job, about the limit for execs over SSH. */
  kind: 'ours' | 'tool' | 'loop';
  /** Milliseconds. */
  samples: readonly number[];
}

export interface RatedRow extends Row {
  /** Milliseconds. */
  median: number;
  min: number;
  max: number;
  /** Median over that of the best tool, and of the best loop, of its class; null where there is none. */
  toBestTool: number | null;
  toBestLoop: number | null;
}

/** Of this many hosts is what is expected: with fewer, what every change costs weighs more. */
export const EXPECTED_OF = 250;

export interface Expectation {
  text: string;
  measured: string;
  /** Null: it was said of another size, so it is neither met nor missed here. */
  met: boolean | null;
}

export interface Report {
  bench: string;
  /** What was measured, and how often. */
  of: Readonly<Record<string, number | string>>;
  rows: readonly RatedRow[];
  /** Figures that are no race, such as visits a host. */
  facts?: Readonly<Record<string, number | string>>;
  expectations: readonly Expectation[];
}

/** Adds the statistics. */
export function rate(rows: readonly Row[]): RatedRow[] {
  const best = (row: Row, kind: Row['kind']): number | null => {
    const medians = rows
      .filter((other) => other.kind === kind && other.class === row.class)
      .map((other) => median(other.samples));
    return medians.length === 0 ? null : Math.min(...medians);
  };
  return rows.map((row) => {
    const own = median(row.samples);
    const ratio = (to: number | null) => (to === null ? null : own / to);
    return {
      ...row,
      median: own,
      min: Math.min(...row.samples),
      max: Math.max(...row.samples),
      toBestTool: ratio(best(row, 'tool')),
      toBestLoop: ratio(best(row, 'loop')),
    };
  });
}

/** Prints the report, and writes it to `file` when one is named. */
export function publish(report: Report, file: string | undefined): void {
  const of = Object.entries(report.of).map(([name, value]) => `${name} ${value}`);
  const head = ['ms', 'class', 'median', 'min', 'max', 'to best tool', 'to best loop'];
  const lines = report.rows.map((row) => [
    row.name,
    row.class,
    ms(row.median),
    ms(row.min),
    ms(row.max),
    times(row.toBestTool),
    times(row.toBestLoop),
  ]);
  console.log(`\n${report.bench}: ${of.join(', ')}\n\n${table([head, ...lines])}`);
  for (const [name, value] of Object.entries(report.facts ?? {})) console.log(`${name}: ${value}`);
  for (const { text, measured, met } of report.expectations)
    console.log(`${met === null ? 'not judged' : met ? 'met' : 'NOT MET'}: ${text} (${measured})`);
  if (file !== undefined)
    writeFileSync(file, `${JSON.stringify({ ...report, machine: machine() }, null, 2)}\n`);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function times(ratio: number | null): string {
  return ratio === null ? '' : `${ratio.toFixed(2)} ×`;
}

function machine(): Readonly<Record<string, number | string>> {
  const all = cpus();
  return {
    cores: all.length,
    cpu: all[0]?.model ?? 'unknown',
    kernel: release(),
    node: process.version,
  };
}
