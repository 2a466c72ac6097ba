/** The script files of each OS, and how an SSH server is asked to run them. They travel whole, once for each channel. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Os } from '../node/node.js';
import type { HostRequest, HostTarget } from './host.js';

/** An exec request, and what is written to its stdin before any request. */
export interface Launch {
  command: string;
  stdin: string;
}

/** In this order; the last one begins to serve. */
const LINUX = [
  'params.sh',
  'rights.sh',
  'machine.sh',
  'read.sh',
  'sync.sh',
  'persistence.sh',
  'prove.sh',
  'probe.sh',
  'service.sh',
  'serve.sh',
];

/** Which scripts a host is sent. */
type Kind = Pick<HostTarget, 'os' | 'builds'>;

/** What starts the resident interpreter. */
export function residentLaunch(target: Kind): Launch {
  return target.os === 'windows' ? windowsLaunch() : { command: shellCommand(target), stdin: '' };
}

/** What runs a single request, as number 1. `params` is base64. The caller ends stdin after it. */
export function plainLaunch(target: Kind, script: string, params: string): Launch {
  if (target.os === 'linux')
    return { command: `${shellCommand(target)} ${quote(script)} ${quote(params)}`, stdin: '' };
  const { command, stdin } = windowsLaunch();
  return { command, stdin: `${stdin}1 ${script} ${params}\n` };
}

/** What starts a watcher on a channel of its own. Each process is `<component>=<pid>`. */
export function watchLaunch(os: Os, processes: readonly string[]): Launch {
  if (os === 'linux')
    return { command: `exec perl -e ${quote(perlScript())} ${processes.join(' ')}`, stdin: '' };
  return { command: windowsCommand(), stdin: `${windowsWatcher()}\n${processes.join(' ')}\n` };
}

/** The root helper of Linux hosts: its file, and the file's SHA-256. */
export const rootHelper = once((): { text: string; sha256: string } => {
  const text = readScript('linux', 'fairway-node.sh');
  return { text, sha256: createHash('sha256').update(text).digest('hex') };
});

/** The request, with the file that it wants to go along as the parameter `helper`, in base64. */
export function withFile({ takes, ...request }: HostRequest): HostRequest {
  if (takes !== 'root-helper') return request;
  const helper = Buffer.from(rootHelper().text).toString('base64');
  return { ...request, params: { ...request.params, helper } };
}

/** A word that any POSIX shell takes for exactly this text. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function shellCommand({ builds }: Kind): string {
  return builds ? buildCommand() : linuxCommand();
}

const linuxCommand = once(() => {
  const scripts = LINUX.map((name) => readScript('linux', name)).join('\n');
  const first = `helper_sha256=${rootHelper().sha256}\n`;
  return `exec /bin/sh -c ${quote(first + withoutComments(scripts))} fairway`;
});

/** What a build itself is goes along as a text: it is run by a shell of its own. */
const buildCommand = once(() => {
  const scripts = ['check.sh', 'job.sh', 'serve.sh'].map((name) => readScript('build', name));
  const compile = `compile=${quote(withoutComments(readScript('build', 'compile.sh')))}`;
  const all = [readScript('linux', 'params.sh'), compile, ...scripts].join('\n');
  return `exec /bin/sh -c ${quote(withoutComments(all))} fairway`;
});

const perlScript = once(() => withoutComments(readScript('linux', 'watch.pl')));

/** Comments stay at home: what is sent is parsed again by every host's login shell. */
function withoutComments(script: string): string {
  return script.replace(/^\s*(#.*)?\n/gm, '');
}

/** The same line means the same to cmd.exe and to PowerShell, whichever is sshd's shell; cmd.exe takes 8191 characters. */
const windowsCommand = once(() => {
  const loader = Buffer.from(readScript('windows', 'loader.ps1').trim(), 'utf16le').toString('base64');
  return `powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${loader}`;
});

const windowsLaunch = once((): Launch => {
  const apart = ['loader.ps1', 'prelude.ps1', 'loop.ps1', 'watch.ps1'];
  const others = readdirSync(folder('windows')).filter((name) => name.endsWith('.ps1'));
  const middle = others.filter((name) => !apart.includes(name)).sort();
  return {
    command: windowsCommand(),
    stdin: `${windowsScripts(['prelude.ps1', ...middle, 'loop.ps1'])}\n`,
  };
});

const windowsWatcher = once(() => windowsScripts(['prelude.ps1', 'watch.ps1']));

/** What the loader takes: one line, whatever the scripts hold. Indents stay at home too; where they count, lines are not indented. */
function windowsScripts(names: readonly string[]): string {
  const texts = names.map((name) => withoutComments(readScript('windows', name)).replace(/^ +/gm, ''));
  return Buffer.from(texts.join('\n')).toString('base64');
}

function folder(name: Os | 'build'): URL {
  return new URL(`./${name}/`, import.meta.url);
}

function readScript(of: Os | 'build', name: string): string {
  return readFileSync(new URL(name, folder(of)), 'utf8');
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
