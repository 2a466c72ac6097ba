/** The snippets are run by a real shell; what would reach kubectl is held against a real kubectl, which needs no server for it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { Node } from '../../src/node/node.js';
import { snippetsOf } from '../../src/snippet/for-node.js';
import type { Snippet } from '../../src/snippet/kubectl.js';
import { describeWith } from '../lab/requirements.js';

function node(os: 'linux' | 'windows', name = os === 'linux' ? 'lin02' : 'win03'): Node {
  return Node.parse({ name, os, address: '10.0.0.7', podCidr: '192.168.3.0/24' });
}

function code(os: 'linux' | 'windows', kubernetesVersion: string, when: 'joined' | 'leaving'): string {
  return snippetsOf(node(os), { kubernetesVersion }, when)
    .map((snippet) => snippet.code)
    .join('\n');
}

describe('by version', () => {
  test.each([
    ['1.5', 'beta.kubernetes.io/os'],
    ['1.13.12', 'beta.kubernetes.io/os'],
    ['1.14', 'kubernetes.io/os'],
    ['v1.29.3', 'kubernetes.io/os'],
    ['2.0', 'kubernetes.io/os'],
  ])('%s labels with %s', (version, label) => {
    const joined = code('windows', version, 'joined');
    expect(joined).toContain(`kubectl label node win03 ${label}=windows --overwrite=false\n`);
    expect(joined).toContain(`\n    ${label}: windows\n`);
  });

  test.each([
    ['1.5', '--delete-local-data'],
    ['1.19.16', '--delete-local-data'],
    ['1.20', '--delete-emptydir-data'],
  ])('%s drains with %s', (version, flag) => {
    expect(code('linux', version, 'leaving')).toBe(
      `kubectl drain lin02 --ignore-daemonsets --force ${flag}\nkubectl delete node lin02`,
    );
  });

  test('the pod CIDR to compare is said', () => {
    expect(code('linux', '1.29', 'joined')).toContain('must print 192.168.3.0/24');
  });

  test('IIS comes from where it is', () => {
    expect(code('windows', '1.5', 'joined')).toContain('image: microsoft/iis\n');
    expect(code('windows', '1.29', 'joined')).toContain('image: mcr.microsoft.com/windows/servercore/iis\n');
  });
});

interface Call {
  argv: string[];
  stdin: string;
}

describeWith(['kubectl'], 'by a real kubectl', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-kubectl-'));
    // Stands where kubectl would, and writes down what it was given.
    const recorder = [
      '#!/bin/sh',
      // Words, then what comes in, told apart by bytes that neither has.
      `{ printf '%s\\0' "$@"; printf '\\1'; case " $* " in *' - '*) cat ;; esac; printf '\\2'; } >>"$CALLS"`,
      '',
    ].join('\n');
    writeFileSync(join(dir, 'kubectl'), recorder);
    chmodSync(join(dir, 'kubectl'), 0o755);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** What kubectl would be called with if somebody pasted the snippets. */
  function paste(snippets: readonly Snippet[]): Call[] {
    const calls = join(dir, 'calls');
    writeFileSync(calls, '');
    const script = snippets.map((snippet) => `${snippet.code}\n`).join('');
    execFileSync('sh', ['-eu'], {
      input: script,
      env: { PATH: `${dir}:/usr/bin:/bin`, CALLS: calls },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const records = readFileSync(calls, 'utf8').split('\u0002').slice(0, -1);
    return records.map((record) => {
      const [words = '', stdin = ''] = record.split('\u0001');
      return { argv: words.split('\0').slice(0, -1), stdin };
    });
  }

  /**
   * Decodes a pod into Kubernetes' own types and prints it again, without a server. Fields that the types lack are dropped,
   * wrong types are an error: whoever compares sees both.
   */
  function throughKubectl(manifest: string): unknown {
    // `set env` adds a variable; `set image` would print nothing where the image stays.
    const args = ['set', 'env', '--local', '-o', 'json', '-f', '-', 'FAIRWAY=1'];
    const { status, stdout, stderr } = spawnSync('kubectl', args, { input: manifest, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  function expectWhole(manifest: string): void {
    expect(throughKubectl(manifest)).toMatchObject(parse(manifest) as object);
  }

  const versions = ['1.5', '1.13.4', '1.14', '1.19', '1.20', '1.29.3', '1.32'];
  const cases = (['linux', 'windows'] as const).flatMap((os) =>
    versions.map((version) => [os, version] as const),
  );

  test.each(cases)('%s %s: the pod is a pod, and its node selector survives', (os, kubernetesVersion) => {
    const calls = paste(snippetsOf(node(os), { kubernetesVersion }, 'joined'));
    const manifests = calls.map((call) => call.stdin).filter((text) => text !== '');
    expect(manifests).toHaveLength(1);
    expectWhole(manifests[0] ?? '');
    expect(throughKubectl(manifests[0] ?? '')).toMatchObject({
      spec: { nodeSelector: { 'kubernetes.io/hostname': node(os).name } },
    });
  });

  test.each(['007', 'true', '1e3', 'null', 'on'])('a node named %s stays a text', (name) => {
    const calls = paste(snippetsOf(node('windows', name), { kubernetesVersion: '1.29' }, 'joined'));
    const manifest = calls.find((call) => call.stdin !== '')?.stdin ?? '';
    expect(throughKubectl(manifest)).toMatchObject({
      spec: { nodeSelector: { 'kubernetes.io/hostname': name } },
    });
  });

  test.each([
    ['a misspelt field', 'nodeSelector:', 'nodeSelecter:'],
    ['a wrong type', 'containerPort: 80', 'containerPort: eighty'],
    ['a field in the wrong place', '    ports:', '    nodeSelector:'],
    ['a selector that is no text', '"win03"', '3'],
  ])('%s does not pass', (_name, right, wrong) => {
    const calls = paste(snippetsOf(node('windows'), { kubernetesVersion: '1.29' }, 'joined'));
    const manifest = calls.find((call) => call.stdin !== '')?.stdin ?? '';
    expect(manifest).toContain(right);
    expect(() => expectWhole(manifest.replace(right, wrong))).toThrow();
  });

  const helps = new Map<string, string>();
  function helpOf(subcommand: string): string {
    const known =
      helps.get(subcommand) ?? execFileSync('kubectl', [subcommand, '--help'], { encoding: 'utf8' });
    helps.set(subcommand, known);
    return known;
  }

  /** Renamed in 1.20; newer kubectls no longer name it in their help. */
  const OLD = ['--delete-local-data'];

  test.each(cases)('%s %s: kubectl has every subcommand and flag', (os, kubernetesVersion) => {
    const calls = (['joined', 'leaving'] as const).flatMap((when) =>
      paste(snippetsOf(node(os), { kubernetesVersion }, when)),
    );
    expect(calls.map(({ argv }) => argv[0])).toEqual(['get', 'label', 'apply', 'drain', 'delete']);
    for (const { argv } of calls) {
      const help = helpOf(argv[0] ?? '');
      const flags = argv.flatMap((word) => /^(--?[a-z-]*[a-z])(=|$)/.exec(word)?.[1] ?? []);
      for (const flag of flags.filter((each) => !OLD.includes(each))) {
        expect(help).toMatch(new RegExp(`^\\s+(-\\w, )?(--[a-z-]+, )?${flag}[=,]`, 'm'));
      }
    }
  });
});
