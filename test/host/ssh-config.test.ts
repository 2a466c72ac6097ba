import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HostTarget } from '../../src/host/host.js';
import { loadSshConfig, type SshPath } from '../../src/host/ssh-config.js';

const WIN03: HostTarget = { name: 'win03', address: '10.0.0.7', os: 'windows' };

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'fairway-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function resolve(text: string, target = WIN03, defaultUser = 'me'): SshPath {
  const file = join(dir, 'config');
  writeFileSync(file, text);
  return loadSshConfig(file, defaultUser).resolve(target);
}

describe('what the SSH configuration says of a host', () => {
  test('nothing: the node’s address, port 22, the default user', () => {
    expect(resolve('')).toEqual({
      name: 'win03',
      host: '10.0.0.7',
      port: 22,
      user: 'me',
      identityFiles: null,
      identitiesOnly: false,
      knownHostsFiles: [join(homedir(), '.ssh', 'known_hosts'), join(homedir(), '.ssh', 'known_hosts2')],
      jumps: [],
    });
    expect(loadSshConfig(join(dir, 'config')).resolve(WIN03).user).toBe(userInfo().username);
  });

  const full = 'HostName 10.9.9.9\nPort 2222\nUser bob\nBindAddress 10.1.1.1\nIdentitiesOnly yes\n';
  const found = { host: '10.9.9.9', port: 2222, user: 'bob', bindAddress: '10.1.1.1', identitiesOnly: true };
  test.each<[string, string, Partial<SshPath>]>([
    ['by name', `Host win03\n${full}`, found],
    ['by address', `Host 10.0.0.7\n${full}`, found],
    ['by name first', 'Host 10.0.0.7\nHostName no\nHost win03\nHostName yes', { host: 'yes' }],
    ['by pattern', 'Host win?? !win04\nPort 23\nHost win*\nPort 24\nUser x', { port: 23, user: 'x' }],
    ['not by a negated pattern', 'Host win* !win03\nPort 23', { port: 22 }],
    ['not by a pattern that is part of the name', 'Host win0\nPort 23', { port: 22 }],
    ['the first value counts, in the file’s order', 'Host *\nPort 25\nHost win03\nPort 26', { port: 25 }],
    [
      'an address’ own port comes before a later Host *',
      'Host 10.0.0.7\nHostName 127.0.0.1\nPort 27\nHost *\nPort 22',
      { host: '127.0.0.1', port: 27 },
    ],
    [
      'name and address together, without a HostName',
      'Host win03\nUser x\nHost 10.0.0.7\nHostName 127.0.0.1',
      { host: '127.0.0.1', user: 'x' },
    ],
    ['before any Host', 'User root\nHost other\nPort 3', { user: 'root', port: 22 }],
    ['%h in HostName', 'Host win03\nHostName %h.example.com', { host: 'win03.example.com' }],
    [
      'keywords in any case, with = and quotes',
      'HOST win03\nhostname="10.2.2.2"\nPORT = 99',
      { host: '10.2.2.2', port: 99 },
    ],
    [
      'key files add up',
      'Host win03\nIdentityFile ~/a\nHost *\nIdentityFile /k/%r@%h-%n',
      { identityFiles: [`${homedir()}/a`, '/k/me@10.0.0.7-win03'] },
    ],
  ])('%s', (_name, text, expected) => {
    expect(resolve(text)).toMatchObject(expected);
  });

  test.each<[string, Partial<SshPath>]>([
    ['root@gate', { host: '10.3.3.3', user: 'root', port: 44 }],
    ['root@gate:2200', { host: '10.3.3.3', user: 'root', port: 2200 }],
    ['root@10.0.0.7', { host: '10.0.0.7', user: 'root', port: 22 }],
  ])('the node’s own %s comes before it', (ssh, expected) => {
    const text = 'Host win03\nHostName no\nPort 1\nUser no\nHost gate\nHostName 10.3.3.3\nPort 44\nUser no';
    expect(resolve(text, { ...WIN03, ssh })).toMatchObject(expected);
  });

  describe('jump hosts', () => {
    const hops = (text: string): string[] =>
      resolve(text).jumps.map(({ user, host, port }) => `${user}@${host}:${port}`);
    test.each<[string, string, string[]]>([
      ['none', 'Host win03\nProxyJump none\nHost *\nProxyJump a', []],
      ['one', 'Host win03\nProxyJump a', ['me@a:22']],
      ['with user and port', 'Host win03\nProxyJump bob@a:99', ['bob@a:99']],
      ['as a URL', 'Host win03\nProxyJump ssh://bob@a:99', ['bob@a:99']],
      ['several, nearest first', 'Host win03\nProxyJump a,b', ['me@a:22', 'me@b:22']],
      [
        'with settings of their own',
        'Host win03\nProxyJump a\nHost a\nHostName 1.1.1.1\nUser x\nPort 5',
        ['x@1.1.1.1:5'],
      ],
      ['behind each other', 'Host win03\nProxyJump b\nHost b\nProxyJump a', ['me@a:22', 'me@b:22']],
    ])('%s', (_name, text, expected) => {
      expect(hops(text)).toEqual(expected);
    });

    test('in a circle, or by a ProxyCommand, are refused', () => {
      expect(() => resolve('Host *\nProxyJump a')).toThrow('ProxyJump goes in a circle');
      expect(() => resolve('Host *\nProxyCommand nc %h %p')).toThrow(
        'ProxyCommand is not supported; use ProxyJump',
      );
    });
  });

  describe('Include', () => {
    test('by path and by wildcard, in place, under the Host that it stands in', () => {
      const parts = join(dir, 'parts');
      mkdirSync(parts, { recursive: true });
      writeFileSync(join(parts, 'a.conf'), 'Host win03\nUser a\nHost win04\nUser no');
      writeFileSync(join(parts, 'b.conf'), 'User b\nPort 7');
      writeFileSync(join(parts, 'c.txt'), 'Port 8');
      expect(resolve(`Include ${parts}/*.conf\nHost *\nPort 9`)).toMatchObject({ user: 'a', port: 7 });
      expect(resolve(`Host win04\nInclude ${parts}/b.conf\nHost *\nPort 9`)).toMatchObject({
        user: 'me',
        port: 9,
      });
      expect(resolve(`Host win03\nInclude ${parts}/b.conf\n  Port 10\nHost *\nPort 9`)).toMatchObject({
        user: 'b',
        port: 7,
      });
      expect(resolve(`Include ${parts}/none.conf ${dir}/nowhere/*`)).toMatchObject({ port: 22 });
    });

    test('of itself is refused', () => {
      expect(() => resolve(`Include ${join(dir, 'config')}`)).toThrow('Include goes deeper than 16');
    });
  });

  test('a Match is refused by file and line; a file that is not there too', () => {
    expect(() => resolve('Host a\nUser b\n\n  match host win03\nUser x')).toThrow(
      /config:4: Match is not supported/,
    );
    expect(() => loadSshConfig(join(dir, 'nowhere'))).toThrow('ENOENT');
  });

  test('a changed file is read again', () => {
    const file = join(dir, 'changing');
    writeFileSync(file, 'Port 1');
    const config = loadSshConfig(file);
    expect(config.resolve(WIN03).port).toBe(1);
    writeFileSync(file, 'Port 2');
    utimesSync(file, new Date(), new Date(Date.now() + 5_000));
    expect(config.resolve(WIN03).port).toBe(2);
  });
});
