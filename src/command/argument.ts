/** The arguments of commands: how each is written, and what it takes. Pure. */
import { Component } from '../node/component.js';
import { CidrText, Ipv4Text, Mac, NodeName, Os, SshTarget } from '../node/node.js';
import { Version } from '../plan/build.js';
import { parseSource } from '../source.js';
import { parseDuration } from '../time.js';
import { ChangeId, IncidentId } from './command.js';

export interface ArgumentType {
  /** The value, or null when it isn't one. */
  read(text: string): string | null;
  takes: string;
  example: string;
}

const LONGEST_REASON = 500;

function fits(schema: { safeParse(text: string): { success: boolean } }) {
  return (text: string) => (schema.safeParse(text).success ? text : null);
}

/** By the name in the grammar's brackets. */
export const argumentTypes: Readonly<Record<string, ArgumentType>> = {
  name: {
    read: fits(NodeName),
    takes: 'small letters, digits and dashes, 63 at most, with a letter or digit at both ends',
    example: 'win03',
  },
  node: { read: fits(NodeName), takes: 'the name of a node', example: 'win03' },
  address: {
    read: fits(Ipv4Text),
    takes: 'an IPv4 address of four plain decimal parts',
    example: '10.0.0.7',
  },
  cidr: {
    read: fits(CidrText),
    takes: 'an IPv4 range without host bits',
    example: '192.168.7.0/24',
  },
  'user@host:port': {
    read: readSshTarget,
    takes: 'a login and a host, with a port when it is not 22',
    example: 'admin@win03.corp.local:2222',
  },
  mac: {
    read: readMac,
    takes: "the six pairs of hex digits of a Windows host's network card",
    example: '00-15-5D-00-04-01',
  },
  id: { read: readChangeId, takes: 'the id of a change', example: 'c12' },
  component: { read: fits(Component), takes: 'kubelet or kube-proxy', example: 'kubelet' },
  version: {
    read: readVersion,
    takes: 'the tag of a Kubernetes release: v and three numbers',
    example: 'v1.5.0',
  },
  nodes: { read: readNodeNames, takes: 'names of nodes, with blanks between', example: 'win03 win04' },
  source: {
    read: parseSource,
    takes: "a git address, http(s)://… or ssh://… without a password, or a folder of the build host's",
    example: 'https://github.com/kubernetes/kubernetes',
  },
  duration: { read: readDuration, takes: 'a time of at most 30 days, as 90m, 2h or 1d', example: '2h' },
  incident: { read: readIncidentId, takes: 'the id of an incident', example: 'i7' },
  reason: {
    read: (text) => (text.length <= LONGEST_REASON ? text.replace(/\s+/g, ' ') : null),
    takes: `up to ${LONGEST_REASON} characters`,
    example: 'not before the release',
  },
};

/** In the grammar it is a choice, in a list of nodes a value. */
export const osType: ArgumentType = { read: fits(Os), takes: 'linux or windows', example: 'linux' };

/** Also `00:15:5d:00:04:01`, `0015.5d00.0401` and `00155D000401`; the answer is as Windows prints it. */
function readMac(text: string): string | null {
  const known =
    /^([0-9a-f]{2}([:-])(?:[0-9a-f]{2}\2){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12})$/i;
  if (!known.test(text)) return null;
  const pairs =
    text
      .toUpperCase()
      .replace(/[^0-9A-F]/g, '')
      .match(/../g) ?? [];
  return fits(Mac)(pairs.join('-'));
}

/** People write `12` and `#12` for `c12`. */
function readChangeId(text: string): string | null {
  return fits(ChangeId)(text.toLowerCase().replace(/^#?c?/, 'c'));
}

function readNodeNames(text: string): string | null {
  const names = text.split(/[ ,]+/).filter((name) => name !== '');
  return names.length > 0 && names.every((name) => NodeName.safeParse(name).success) ? names.join(' ') : null;
}

/** People write `1.5.0` for `v1.5.0`. */
function readVersion(text: string): string | null {
  return fits(Version)(text.replace(/^V?(?=\d)/, 'v'));
}

function readIncidentId(text: string): string | null {
  return fits(IncidentId)(text.toLowerCase().replace(/^#?i?/, 'i'));
}

/** A silence that outlives its reason hides the next trouble. */
const LONGEST_SILENCE_MS = 30 * 24 * 3_600_000;

function readDuration(text: string): string | null {
  const ms = parseDuration(text.toLowerCase());
  return ms !== null && ms <= LONGEST_SILENCE_MS ? text.toLowerCase() : null;
}

function readSshTarget(text: string): string | null {
  const port = Number(/:(\d+)$/.exec(text)?.[1] ?? 22);
  return port <= 65535 ? fits(SshTarget)(text) : null;
}
