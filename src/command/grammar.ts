/** The command grammar: one table that the parser, the help and "did you mean" all read. Pure. */
import { Refusal } from '../errors.js';
import { parseDuration } from '../time.js';
import { type ArgumentType, argumentTypes } from './argument.js';
import { BotCommand, type CommandKind } from './command.js';
import { formatCommand } from './format.js';
import { nearest, type Pattern, readPattern } from './pattern.js';
import { suggest } from './suggest.js';

export type { BotCommand } from './command.js';

/** What was typed for one pattern: the words that matched its choices, and the arguments by name. */
interface Typed {
  choices: readonly string[];
  arguments: Readonly<Record<string, string>>;
}

export interface Rule {
  kind: CommandKind;
  pattern: Pattern;
  /** The typed command as a BotCommand, before its check. */
  build(typed: Typed): unknown;
}

function rule(
  kind: CommandKind,
  pattern: string,
  build: (typed: Typed) => object = ({ arguments: named }) => named,
): Rule {
  return { kind, pattern: readPattern(pattern), build: (typed) => ({ kind, ...build(typed) }) };
}

/** How long `mute` lasts when nothing is said. */
const MUTED_FOR = '2h';

/** Every command. Arguments by the same name as the BotCommand's field need no builder. */
export const rules: readonly Rule[] = [
  rule(
    'add-node',
    'add (linux|windows) node <name> <address> [pod-cidr <cidr>] [ssh <user@host:port>] [container-nic <mac>]',
    ({ choices: [os], arguments: { name, address, cidr, mac, 'user@host:port': ssh } }) => ({
      spec: { name, os, address, ...present({ ssh, containerNic: mac }) },
      ...present({ podCidr: cidr }),
    }),
  ),
  rule('remove-node', 'remove node <name>'),
  rule('nodes', 'nodes'),
  rule('map', 'map'),
  rule('node', 'node <name>'),
  rule('check-node', 'check node <name>'),
  rule(
    'check-host',
    'check (linux|windows) host <address> [ssh <user@host:port>]',
    ({ choices: [os], arguments: { address, 'user@host:port': ssh } }) => ({
      os,
      address,
      ...present({ ssh }),
    }),
  ),
  rule('routes', 'routes [<node>]', ({ arguments: { node } }) => present({ name: node })),
  rule('repair', 'repair [<node>]', ({ arguments: { node } }) => present({ name: node })),
  rule('adopt', '(adopt|import)', () => ({})),
  rule('export', 'export'),
  rule('check-manifest', 'check manifest', () => ({})),
  rule('check-cluster', 'check cluster'),
  // Before `kubectl <node>`, which would take it for a name.
  rule('control-plane', 'kubectl control-plane'),
  rule('kubectl', 'kubectl <node>', ({ arguments: { node } }) => ({ name: node })),
  rule(
    'build',
    'build (kubelet|kube-proxy) <version> [from <source>]',
    ({ choices: [component], arguments: { version, source } }) => ({
      component,
      version,
      ...present({ source }),
    }),
  ),
  rule('builds', 'builds'),
  rule(
    'deliver',
    'deliver (kubelet|kube-proxy) <version> [to <nodes…>]',
    ({ choices: [component], arguments: { version, nodes } }) => ({
      component,
      version,
      ...(nodes === undefined ? {} : { nodes: [...new Set(nodes.split(' '))] }),
    }),
  ),
  rule('incidents', 'incidents'),
  rule('ack', 'ack <incident>', ({ arguments: { incident } }) => ({ id: incident })),
  rule(
    'mute',
    'mute <node> [<component>] [for <duration>]',
    ({ arguments: { node, component, duration } }) => ({
      name: node,
      ms: parseDuration(duration ?? MUTED_FOR),
      ...present({ component }),
    }),
  ),
  rule('unmute', 'unmute <node> [<component>]', ({ arguments: { node, component } }) => ({
    name: node,
    ...present({ component }),
  })),
  rule('logs', 'logs (kubelet|kube-proxy) on <node>', ({ choices: [component], arguments: { node } }) => ({
    component,
    name: node,
  })),
  rule(
    'control',
    '(start|stop|restart) (kubelet|kube-proxy) on <node>',
    ({ choices: [action, component], arguments: { node } }) => ({ action, component, name: node }),
  ),
  rule('changes', 'changes'),
  rule('change', 'change <id>'),
  rule('approve', 'approve <id>'),
  rule('deny', 'deny <id> [<reason…>]'),
  rule('confirm', 'confirm <id>'),
  rule('decline', 'decline <id>'),
  rule('cancel', 'cancel <id>'),
  rule('retry', 'retry <id>'),
  rule('rollback', 'rollback <id>'),
  rule('history', 'history [<node>]', ({ arguments: { node } }) => present({ name: node })),
  rule('audit', 'audit (verify|export)', ({ choices: [action] }) => ({ action })),
  rule('help', 'help [<command…>]', ({ arguments: { command } }) =>
    present({ topic: command && kindsOf(command, 'help ') }),
  ),
  rule('whoami', 'whoami'),
  rule('can-i', 'can-i <command…>', ({ arguments: { command = '' } }) => ({
    asked: kindsOf(command, 'can-i ')[0],
    command,
  })),
];

/** Longer than any command; a reason alone may have 500. */
const LONGEST = 1000;

/** Reads a normalized command. Throws a Refusal that names what is wrong and what would work. An empty text asks for help. */
export function parseCommand(text: string): BotCommand {
  if (text === '') return { kind: 'help' };
  // A list that came along with its command has lost its indents by now.
  if (text.includes('\n') && begins('adopt', text.slice(0, text.indexOf('\n'))))
    throw new Refusal('list-missing', {});
  if (text.length > LONGEST) {
    throw new Refusal('bad-argument', {
      argument: 'command',
      got: text,
      takes: `at most ${LONGEST} characters`,
    });
  }
  const words = wordsOf(text);
  const found = rules.find(({ pattern }) => startsWith(words, pattern));
  if (found === undefined) throw unknown(text, words);
  const typed = { choices: choicesOf(words, found.pattern), arguments: readArguments(words, found.pattern) };
  const command = BotCommand.parse(found.build(typed));
  checkTogether(command);
  return command;
}

/** Whether a line begins as the command of this kind does. */
export function begins(kind: CommandKind, line: string): boolean {
  return rules.some((each) => each.kind === kind && startsWith(wordsOf(line), each.pattern));
}

/** What each argument alone can't tell. Throws Refusal. */
function checkTogether(command: BotCommand): void {
  if (command.kind !== 'add-node' || command.spec.os === 'windows') return;
  const { containerNic, ...spec } = command.spec;
  if (containerNic === undefined) return;
  throw new Refusal('windows-only', {
    option: 'container-nic',
    instead: formatCommand({ ...command, spec }),
  });
}

/** Which commands some words stand for, such as `add`, `add linux node` or a whole command. Throws a Refusal when none; `before` is what was typed before them. */
export function kindsOf(text: string, before = ''): CommandKind[] {
  const words = wordsOf(text);
  const found = rules.filter(({ pattern }) => {
    const common = Math.min(words.length, pattern.head.length);
    return startsWith(words.slice(0, common), { ...pattern, head: pattern.head.slice(0, common) });
  });
  if (found.length === 0) throw unknown(text, words, before);
  return found.map(({ kind }) => kind);
}

/** Blanks part words; newlines don't, so that a pasted second line is refused as a part of the word that it clings to. */
function wordsOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

function startsWith(words: readonly string[], { head }: Pattern): boolean {
  return (
    words.length >= head.length && head.every((choices, i) => choices.includes(words[i]?.toLowerCase() ?? ''))
  );
}

function choicesOf(words: readonly string[], { head }: Pattern): string[] {
  return head.flatMap((choices, i) => (choices.length > 1 ? [words[i]?.toLowerCase() ?? ''] : []));
}

/** `--pod-cidr` is taken for `pod-cidr`. */
function optionWord(word: string): string {
  return word.toLowerCase().replace(/^--/, '');
}

function readArguments(words: readonly string[], pattern: Pattern): Record<string, string> {
  const values: Record<string, string> = {};
  const places = [...pattern.places];
  for (let i = pattern.head.length; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const option = pattern.options.find((candidate) => candidate.word === optionWord(word));
    if (option !== undefined) {
      if (values[option.argument] !== undefined) throw extraWord(word, pattern);
      i += 1;
      const said = option.rest ? words.slice(i).join(' ') : (words[i] ?? '');
      values[option.argument] = checked(option.argument, said, pattern);
      if (option.rest) break;
      continue;
    }
    const place = places.shift();
    if (place === undefined) throw misplaced(words, i, pattern);
    if (!place.required && !fits(place.argument, word)) {
      const meant = withOptionWord(words, i, pattern);
      if (meant !== null) throw meantOption(words, meant);
    }
    const got = place.rest ? words.slice(i).join(' ') : word;
    values[place.argument] = checked(place.argument, got, pattern);
    if (place.rest) break;
  }
  const missing = places.find(({ required }) => required);
  if (missing !== undefined) checked(missing.argument, '', pattern);
  return values;
}

const anything: ArgumentType = { read: (text) => text, takes: 'a command', example: 'nodes' };

/** Checks one argument. Throws the Refusal that names it. */
function checked(argument: string, got: string, pattern: Pattern): string {
  const type = typeOf(argument);
  const value = got === '' ? null : type.read(got);
  if (value !== null) return value;
  // Phones begin with a capital letter: when that is all that is wrong, the example is what was meant.
  const lower = got.toLowerCase();
  throw new Refusal('bad-argument', {
    argument,
    got,
    takes: type.takes,
    example: got !== '' && type.read(lower) !== null ? lower : type.example,
    usage: pattern.text,
  });
}

/** The word at `index` has no place: an option's word mistyped, or left out before what it takes. */
function misplaced(words: readonly string[], index: number, pattern: Pattern): Refusal {
  const word = words[index] ?? '';
  const options = pattern.options.map((option) => option.word);
  const near = nearest(optionWord(word), options);
  const meant = near === null ? withOptionWord(words, index, pattern) : words.with(index, near);
  return meant === null ? extraWord(word, pattern) : meantOption(words, meant);
}

/** The words with an option's own before the one at `index`, as `for` before `2h`; null when not just one of the options takes that. */
function withOptionWord(words: readonly string[], index: number, pattern: Pattern): string[] | null {
  const said = words.map(optionWord);
  const [option, another] = pattern.options.filter(
    ({ word, argument }) => !said.includes(word) && fits(argument, words[index] ?? ''),
  );
  return option === undefined || another !== undefined ? null : words.toSpliced(index, 0, option.word);
}

function meantOption(words: readonly string[], meant: readonly string[]): Refusal {
  return new Refusal('unknown-command', { said: words.join(' '), suggestion: meant.join(' ') });
}

function fits(argument: string, word: string): boolean {
  return typeOf(argument).read(word) !== null;
}

function typeOf(argument: string): ArgumentType {
  return argumentTypes[argument] ?? anything;
}

function extraWord(word: string, pattern: Pattern): Refusal {
  return new Refusal('extra-word', { word, usage: pattern.text });
}

/** Nothing matches: the nearest command, else how the command with the same first word goes. */
function unknown(text: string, words: readonly string[], before = ''): Refusal {
  const patterns = rules.map(({ pattern }) => pattern);
  const suggestion = suggest(words, patterns);
  const usage = patterns.find(({ head }) => head[0]?.includes(words[0]?.toLowerCase() ?? ''))?.text;
  return new Refusal('unknown-command', {
    said: before + text,
    ...present({ suggestion: suggestion === null ? undefined : before + suggestion, usage }),
  });
}

function present<T>(fields: Record<string, T | undefined>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, T] => field[1] !== undefined),
  );
}
