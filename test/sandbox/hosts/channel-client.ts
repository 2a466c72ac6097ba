/** A bare ssh2 client of the resident channel, so that the sandbox hosts are tested by something other than Fairway's own pool. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import type { SandboxHost } from '../../../sandbox/hosts/host.js';

export const SHELL = `exec /bin/sh -c 'echo '\\''scripts'\\''' fairway`;
const loader = Buffer.from('[Console]::In.ReadLine()', 'utf16le').toString('base64');
export const POWERSHELL = `powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${loader}`;
export const SCRIPTS = Buffer.from('# all scripts').toString('base64');

export function base64(params: unknown): string {
  return Buffer.from(JSON.stringify(params)).toString('base64');
}

/** Logs in; rejects with ssh2's error. */
export async function logIn(
  host: SandboxHost,
  keyFile: string,
  config: Partial<ConnectConfig> = {},
): Promise<Client> {
  const client = new Client();
  const ready = new Promise<Client>((resolve, reject) => {
    client.once('ready', () => resolve(client)).on('error', reject);
  });
  client.connect({
    host: '127.0.0.1',
    port: host.port,
    username: host.user,
    privateKey: readFileSync(keyFile),
    ...config,
  });
  return await ready;
}

/** Starts a command. */
export async function exec(client: Client, command: string): Promise<ClientChannel> {
  return await new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** Runs a command to its end with `stdin` as its whole input. */
export async function run(client: Client, command: string, stdin = '') {
  const out = { stdout: '', stderr: '', code: -1 };
  await new Promise<void>((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      // At once: the answer may already be in the same packet.
      channel.on('data', (chunk: Buffer) => {
        out.stdout += String(chunk);
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        out.stderr += String(chunk);
      });
      channel.on('exit', (code: number) => {
        out.code = code;
      });
      channel.on('close', resolve);
      channel.end(stdin);
    });
  });
  return out;
}

export interface Resident {
  /** Sends one request and gives its answer's lines, parsed. */
  ask(script: string, params: unknown): Promise<unknown[]>;
  /** Every line so far that was no part of an answer. */
  printed(): string[];
  close(): void;
}

/** Logs in and opens the resident channel. */
export async function openResident(host: SandboxHost, keyFile: string): Promise<Resident> {
  const client = await logIn(host, keyFile);
  const channel = await exec(client, host.os === 'linux' ? SHELL : POWERSHELL);
  const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the channel ended');
    return value;
  };
  const printed: string[] = [];
  if (host.os === 'windows') channel.write(`${SCRIPTS}\n`);
  const ready = await line();
  if (ready !== '@@READY@@ 1') throw new Error(ready);
  let id = 0;
  return {
    ask: async (script, params) => {
      id += 1;
      channel.write(`${id} ${script} ${base64(params)}\n`);
      let header = await line();
      while (!header.startsWith('@@R@@')) {
        printed.push(header);
        header = await line();
      }
      const [, answered, count] = /^@@R@@ (\d+) (\d+)$/.exec(header) ?? [];
      if (Number(answered) !== id) throw new Error(`answer to ${answered} instead of ${id}`);
      const answer: unknown[] = [];
      for (let at = 0; at < Number(count); at += 1) answer.push(JSON.parse(await line()));
      return answer;
    },
    printed: () => printed,
    close: () => client.end(),
  };
}
