import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knownFingerprints } from '../../src/host/known-hosts.js';

describe('known_hosts, as ssh-keygen writes it', () => {
  let dir: string;
  let key: string;
  let fingerprint: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'fairway-known-'));
    const file = join(dir, 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    key = readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    fingerprint =
      execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test.each<[string, string, string, number, boolean]>([
    ['a name', 'bastion', 'bastion', 22, true],
    ['one of several', 'other,bastion,10.0.0.4', 'bastion', 22, true],
    ['a wildcard', '*.corp.local', 'bastion.corp.local', 22, true],
    ['all but one', '*.corp.local,!bastion.corp.local', 'bastion.corp.local', 22, false],
    ['a port', '[bastion]:2222', 'bastion', 2222, true],
    ['the same name at another port', 'bastion', 'bastion', 2222, false],
    ['any case', 'Bastion', 'BASTION', 22, true],
    ['revoked', '@revoked bastion', 'bastion', 22, false],
    ['a certificate authority', '@cert-authority bastion', 'bastion', 22, false],
    ['a comment', '# bastion', 'bastion', 22, false],
    ['another host', 'bastion2', 'bastion', 22, false],
  ])('%s', (_what, patterns, host, port, known) => {
    expect(knownFingerprints(`junk\n${patterns} ${key} comment\n`, host, port)).toEqual(
      known ? [fingerprint] : [],
    );
  });

  test('hashed names', () => {
    const file = join(dir, 'known_hosts');
    writeFileSync(file, `bastion ${key}\n[inner]:2222 ${key}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('bastion');
    expect(knownFingerprints(text, 'bastion', 22)).toEqual([fingerprint]);
    expect(knownFingerprints(text, 'inner', 2222)).toEqual([fingerprint]);
    expect(knownFingerprints(text, 'inner', 22)).toEqual([]);
  });
});
