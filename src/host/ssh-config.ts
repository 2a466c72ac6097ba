/** What OpenSSH's client configuration says of a host, so that what `ssh win03` reaches Fairway reaches too. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import SSHConfig from 'ssh-config';
import type { HostTarget } from './host.js';

/** One SSH server to log in to. */
export interface SshHop {
  /** As the configuration or the user calls it. */
  name: string;
  host: string;
  port: number;
  user: string;
  /** Private key files in the order to try; none configured: null. */
  identityFiles: string[] | null;
  identitiesOnly: boolean;
  /** Where the keys of hosts that are no nodes are looked up. */
  knownHostsFiles: string[];
  /** Source address of the TCP connection. */
  bindAddress?: string;
}

/** A host, and the jump hosts on the way, nearest first. */
export interface SshPath extends SshHop {
  jumps: SshHop[];
}

export interface SshConfig {
  /** Throws an Error that names what this cannot follow (ProxyCommand, jumps in a circle). */
  resolve(target: HostTarget): SshPath;
}

/** One `Keyword values` line, and the Host lines that it stands under: each has to match. */
interface Setting {
  under: Pattern[][];
  key: string;
  values: string[];
}

interface Pattern {
  negated: boolean;
  regExp: RegExp;
}

/** ssh_config(5). */
const DEFAULT_KNOWN_HOSTS = ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'];
/** More than anybody nests by intent. */
const MAX_DEPTH = 16;

/**
 * Reads a configuration, `~/.ssh/config` when no file is named (absent: empty). It is read again when a file changes.
 * Throws an Error that names file and line of a `Match`, whose conditions it doesn't know how to evaluate.
 */
export function loadSshConfig(file: string | undefined, defaultUser = userInfo().username): SshConfig {
  const path = file ?? join(homedir(), '.ssh', 'config');
  let seen = readAll(path, file !== undefined);
  return {
    resolve(target) {
      if (seen.files.some(({ name, stamp }) => stampOf(name) !== stamp))
        seen = readAll(path, file !== undefined);
      return resolvePath(seen.settings, target, defaultUser);
    },
  };
}

interface ReadFiles {
  settings: Setting[];
  files: { name: string; stamp: string }[];
}

function readAll(path: string, mustExist: boolean): ReadFiles {
  const read: ReadFiles = { settings: [], files: [] };
  if (!mustExist && stampOf(path) === '') return { settings: [], files: [{ name: path, stamp: '' }] };
  readInto(read, path, [], 0);
  return read;
}

function readInto(read: ReadFiles, file: string, under: Pattern[][], depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`${file}: Include goes deeper than ${MAX_DEPTH}`);
  read.files.push({ name: file, stamp: stampOf(file) });
  const text = readFileSync(file, 'utf8');
  const match = text.split('\n').findIndex((line) => /^\s*match(\s|=|$)/i.test(line));
  if (match !== -1) throw new Error(`${file}:${match + 1}: Match is not supported; write it as Host`);
  const walk = (lines: SSHConfig, scope: Pattern[][]): void => {
    for (const line of lines) {
      if (!('param' in line)) continue;
      const key = line.param.toLowerCase();
      const values = typeof line.value === 'string' ? [line.value] : line.value.map(({ val }) => val);
      if (key === 'host' && 'config' in line) walk(line.config, [...scope, values.map(toPattern)]);
      else if (key === 'include') {
        for (const included of values.flatMap(expandGlob)) readInto(read, included, scope, depth + 1);
      } else read.settings.push({ under: scope, key, values });
    }
  };
  walk(SSHConfig.parse(text), under);
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : '';
}

/** The files that an Include names; a wildcard works in the last part of the path. */
function expandGlob(pattern: string): string[] {
  const home = expandHome(pattern);
  const path = isAbsolute(home) ? home : join(homedir(), '.ssh', home);
  if (!/[*?]/.test(basename(path))) return statSync(path, { throwIfNoEntry: false }) ? [path] : [];
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })) return [];
  const { regExp } = toPattern(basename(path));
  const names = readdirSync(folder).filter((name) => regExp.test(name) && !name.startsWith('.'));
  return names.sort().map((name) => join(folder, name));
}

function toPattern(text: string): Pattern {
  const negated = text.startsWith('!');
  const source = (negated ? text.slice(1) : text)
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return { negated, regExp: new RegExp(`^${source}$`) };
}

function applies(patterns: readonly Pattern[], names: readonly string[]): boolean {
  const hits = patterns.filter(({ regExp }) => names.some((name) => regExp.test(name)));
  return hits.length > 0 && hits.every(({ negated }) => !negated);
}

/** OpenSSH's rule: the first value obtained counts; only IdentityFile adds up. */
function evaluate(settings: readonly Setting[], names: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { under, key, values } of settings) {
    if (found.has(key) && key !== 'identityfile') continue;
    if (!under.every((patterns) => applies(patterns, names))) continue;
    found.set(key, [...(found.get(key) ?? []), ...values]);
  }
  return found;
}

function resolvePath(settings: readonly Setting[], target: HostTarget, defaultUser: string): SshPath {
  const override = target.ssh === undefined ? undefined : parseDestination(target.ssh);
  const names = override ? [override.host] : [target.name];
  let found = evaluate(settings, names);
  // The node's name means nothing to this configuration: what it says of the address counts too, in the file's order.
  if (!override && !found.has('hostname')) found = evaluate(settings, [target.name, target.address]);
  const hop = toHop(
    found,
    override ?? { host: target.name },
    override ? override.host : target.address,
    defaultUser,
  );
  return { ...hop, jumps: jumpsOf(settings, found, defaultUser, 0) };
}

interface Destination {
  user?: string;
  host: string;
  port?: number;
}

function jumpsOf(
  settings: readonly Setting[],
  found: Map<string, string[]>,
  defaultUser: string,
  depth: number,
): SshHop[] {
  if (found.has('proxycommand') && found.get('proxycommand')?.[0] !== 'none') {
    throw new Error('ProxyCommand is not supported; use ProxyJump');
  }
  const list = found.get('proxyjump')?.[0] ?? 'none';
  if (list === 'none') return [];
  if (depth > MAX_DEPTH) throw new Error('ProxyJump goes in a circle');
  return list.split(',').flatMap((text, index) => {
    const destination = parseDestination(text.trim());
    const own = evaluate(settings, [destination.host]);
    // As with ssh, a jump host's own ProxyJump counts for the first of the list only.
    const before = index === 0 ? jumpsOf(settings, own, defaultUser, depth + 1) : [];
    return [...before, toHop(own, destination, destination.host, defaultUser)];
  });
}

function parseDestination(text: string): Destination {
  const [, user, host = text, port] = /^(?:ssh:\/\/)?(?:([^@]+)@)?([^:@]+)(?::(\d+))?$/.exec(text) ?? [];
  return {
    host,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function toHop(
  found: Map<string, string[]>,
  asked: Destination,
  fallback: string,
  defaultUser: string,
): SshHop {
  const first = (key: string): string | undefined => found.get(key)?.[0];
  const host = (first('hostname') ?? fallback).replace(/%(.)/g, (_, token) =>
    token === 'h' ? asked.host : token,
  );
  const user = asked.user ?? first('user') ?? defaultUser;
  const files = found.get('identityfile')?.filter((file) => file !== 'none');
  const bindAddress = first('bindaddress');
  const tokens: Record<string, string> = {
    h: host,
    n: asked.host,
    r: user,
    d: homedir(),
    u: userInfo().username,
  };
  const expand = (file: string): string =>
    expandHome(file).replace(/%(.)/g, (_, token) => tokens[token] ?? token);
  return {
    name: asked.host,
    host,
    port: asked.port ?? Number(first('port') ?? 22),
    user,
    identityFiles: files?.map(expand) ?? null,
    knownHostsFiles: (found.get('userknownhostsfile') ?? DEFAULT_KNOWN_HOSTS)
      .flatMap((files) => files.split(/\s+/))
      .map(expand),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    ...(bindAddress === undefined ? {} : { bindAddress }),
  };
}

function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}
