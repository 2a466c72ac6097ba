import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../src/config.js';
import { parseKubeconfig } from '../../src/kube/kubeconfig.js';
import { loginOf } from '../../workers/login.js';
import { kubeconfig } from '../support/kubeconfig.js';

const parse = (text: string) => parseKubeconfig(text, (path) => `/k/${path}`);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const server = new URL('http://10.0.0.1:8080');

/** What it is refused with. */
function refused(text: string): string {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('this was read');
}

describe('a kubeconfig', () => {
  test.each<[string, string, object]>([
    ['a token', 'token: t', { token: { data: 't' } }],
    ['a token in a file', 'tokenFile: t', { token: { file: '/k/t' } }],
    [
      'a certificate in files',
      'client-certificate: c, client-key: p/k',
      { cert: { file: '/k/c' }, key: { file: '/k/p/k' } },
    ],
    [
      'a certificate',
      `client-certificate-data: ${base64('C')}, client-key-data: ${base64('K')}`,
      { cert: { data: 'C' }, key: { data: 'K' } },
    ],
    ['a password', 'username: u, password: p', { password: { user: 'u', password: 'p' } }],
    ['what is left empty', 'exec: null, as: "", auth-provider: null', {}],
  ])('gives a login by %s', (_what, user, login) => {
    expect(parse(kubeconfig(server.href, user))).toEqual({ server, ...login });
  });

  test('gives the authority and the name of the server’s certificate', () => {
    const cluster = (more: string) => parse(kubeconfig(server.href, 'token: t', more));
    expect(cluster(`, certificate-authority-data: ${base64('CA')}, proxy-url: ""`)).toMatchObject({
      ca: { data: 'CA' },
    });
    expect(cluster(', certificate-authority: ca.crt, tls-server-name: api.prod')).toMatchObject({
      ca: { file: '/k/ca.crt' },
      serverName: 'api.prod',
    });
  });

  test.each<[string, string]>([
    ['empty, as kubectl writes it', 'user: ""'],
    ['nothing at all', 'user: '],
    ['left out', 'namespace: x'],
  ])('whose user is %s asks as nobody', (_what, user) => {
    const text = kubeconfig(server.href, 'token: t').replace('user: u', user);
    expect(parse(text)).toEqual({ server });
    expect(parse(text.replace(/^users: .*$/m, 'users: null'))).toEqual({ server });
  });

  test('may have other contexts, clusters and users of every kind', () => {
    const text = kubeconfig(server.href, 'token: t')
      .replace('contexts: [', 'contexts: [{name: 7}, {name: open, context: {cluster: gone, user: ""}}, ')
      .replace('clusters: [', 'clusters: [{name: x, cluster: {server: nonsense, proxy-url: "http://p"}}, ')
      .replace('users: [', 'users: [{name: aws, user: {exec: {command: aws}, client-key-data: "%"}}, ');
    expect(parse(text)).toEqual({ server, token: { data: 't' } });
  });

  const of = (user: string, cluster = '') => kubeconfig(server.href, user, cluster);
  test.each<[string, string, RegExp]>([
    ['nothing', '', /wrong at its top/],
    ['no current context', of('token: t').replace(/^current.*$/m, ''), /wrong at current-context/],
    ['another context', of('token: t').replace('prod\n', 'test\n'), /no context test/],
    ['another cluster', of('token: t').replace('cluster: c,', 'cluster: d,'), /no cluster d/],
    ['another user', of('token: t').replace('user: u}', 'user: v}'), /no user v/],
    ['no URL', kubeconfig('nonsense', ''), /wrong at cluster\.c\.server/],
    ['a key that is none', of('client-key-data: "%"'), /wrong at user\.u\.client-key-data/],
    ['a program for the login', of('exec: {command: aws}'), /has exec, which Fairway does not do/],
    ['a provider of logins', of('auth-provider: {name: gcp}'), /has auth-provider, which/],
    ['another user to be', of('token: t, as: admin'), /has as, which/],
    ['a proxy', of('token: t', ', proxy-url: "socks5://p:1"'), /has proxy-url, which/],
    ['two logins', of('token: t, username: u, password: p'), /a token and a password/],
    ['no check of certificates', of('token: t', ', insecure-skip-tls-verify: true'), /skips/],
    ['a bomb of aliases', `a: &a [1]\nb: [*a]\n${of('token: t')}`, /aliases/],
    ['two documents', `${of('token: t')}---\na: b\n`, /no YAML on line 6: multiple docs/],
  ])('with %s is refused in words', (_what, text, words) => {
    expect(refused(text)).toMatch(words);
  });

  test.each<[string, string, string]>([
    ['an open quote', 'client-key-data: "c2VjcmV0', 'line 4: missing char'],
    ['a key beside a value', 'token: c2VjcmV0: c2VjcmV0', 'line 3: block as implicit key'],
    ['a text that is no key', '- c2VjcmV0\nc2VjcmV0', 'line 3: multiline implicit key'],
    ['an alias of nothing', 'token: *c2VjcmV0', 'has aliases'],
    ['a block with more in its head', 'token: |c2VjcmV0', 'line 3: unexpected token'],
    ['an escape that is none', 'token: "\\c2VjcmV0"', 'line 3: bad dq escape'],
    ['a key that is a list', '? [c2VjcmV0]\n: x', 'wrong at current-context'],
    ['a tag', 'current-context: !c2VjcmV0 x', 'no context x'],
    ['a list for a text', `current-context: [c2VjcmV0]`, 'wrong at current-context'],
  ])('that is broken by %s never shows what stands there', (_what, line, words) => {
    const said = refused(`contexts: []\nusers: []\n${line}\n`);
    expect(said).toContain(words);
    expect(said).not.toContain('c2VjcmV0');
  });
});

describe('the login of the configuration', () => {
  const watch = { everyMs: 1, heal: 'report' as const, digestAt: '08:00', maintenance: [] };

  test('is none where no file is named, and a problem of the configuration where it can’t be used', () => {
    expect(loginOf({ watch })).toBeNull();
    const wrong = () => loginOf({ watch: { ...watch, kubeconfigFile: '/nowhere' } });
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(/KUBECONFIG_FILE \/nowhere/);
  });

  test('has its files beside the kubeconfig, wherever the worker was started', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fairway-kubeconfig-'));
    const kubeconfigFile = join(folder, 'config');
    writeFileSync(
      kubeconfigFile,
      kubeconfig('https://h', 'tokenFile: ../token, client-key: /etc/key', ', certificate-authority: ca.crt'),
    );
    expect(loginOf({ watch: { ...watch, kubeconfigFile } })).toMatchObject({
      ca: { file: join(folder, 'ca.crt') },
      token: { file: join(tmpdir(), 'token') },
      key: { file: '/etc/key' },
    });
    rmSync(folder, { recursive: true });
  });
});
