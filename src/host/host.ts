/** The port to hosts: a node seen over SSH. Adapters: `ssh.ts` for real. Pure types. */
import type { Component } from '../node/component.js';
import type { Os } from '../node/node.js';

/** Which machine to talk to. The SSH configuration is looked up by `name`, then by `address`; `ssh` overrides both. */
export interface HostTarget {
  name: string;
  address: string;
  os: Os;
  ssh?: string;
  /** It is no node, and is asked other things: those of `src/host/build`. */
  builds?: true;
}

/** One request of the resident channel: a script's name, and parameters that travel as base64 JSON, never as code. */
export interface HostRequest {
  script: string;
  params: Readonly<Record<string, unknown>>;
  /** A file of ours that has to go along; it becomes the parameter `helper`. */
  takes?: 'root-helper';
  /** Milliseconds after which the channel is given up. */
  timeoutMs: number;
  /** By an interpreter that has just started: an old one does not know what was installed since. */
  anew?: true;
  /** It may install what the interpreter that does it will not know. */
  installs?: true;
  /** The work goes on whatever becomes of the connection, and is asked for again until its answer says that it is over. */
  goesOn?: true;
}

export interface HostReply {
  /** The answer's JSON, not yet checked; per OS, the platform's zod schema does that. */
  data: unknown;
  /** What else the host printed (errors of `ip`, say), for the audit. Decides nothing. */
  printed: string;
  /** SHA-256 of the host key in OpenSSH's form, `SHA256:…`. */
  fingerprint: string;
}

/** Which host key a connection may meet. `any` is for planning only: reading, at first contact. */
export type ExpectedKey = { fingerprint: string } | 'any';

export type HostErrorKind =
  /** No connection, or it broke: retry later. */
  | 'unreachable'
  /** The host did not answer within the request's time limit; what it did is unknown. */
  | 'timeout'
  /** Another host key than the pinned one: nothing may be sent. (Of a jump host: the host behind it is `unreachable`.) */
  | 'host-key-changed'
  /** The host refused our key or user. */
  | 'auth'
  /** The script ran and said no; `message` is the host's own. */
  | 'script'
  /** The host's answer was not of the expected form. */
  | 'garbled'
  /** The same, and its login shell is one of the other operating system. */
  | 'other-os'
  /** Its PowerShell takes no scripts from our account: AppLocker or WDAC hold it in the language mode that `message` names. */
  | 'language-mode';

/** Our trouble with a host. */
export class HostError extends Error {
  readonly kind: HostErrorKind;
  readonly host: string;
  readonly detail: { fingerprint?: string; printed?: string; code?: string };

  constructor(kind: HostErrorKind, host: string, message: string, detail: HostError['detail'] = {}) {
    super(message);
    this.name = 'HostError';
    this.kind = kind;
    this.host = host;
    this.detail = detail;
  }
}

/** Hears which watched process ended, once for each; or `channel`: nobody watches any more, because connection or watcher ended. */
export type OnGone = (what: Component | 'channel') => void;

/** A process on a host that blocks until one of those ends that it watches. */
export interface HostWatch {
  /** Ends it. Nothing is heard of it any more. */
  close(): void;
}

/** A file of a host, by the path that its SFTP server takes. */
export interface HostFile {
  target: HostTarget;
  key: { fingerprint: string };
  path: string;
}

export interface HostPool {
  /** Sends one request over the host's resident channel (opened when needed), once more by a plain exec when the channel fails. Throws HostError. */
  request(target: HostTarget, request: HostRequest, key: ExpectedKey): Promise<HostReply>;
  /**
   * Is told at once when one of these processes (by id, of the host's last probe) ends, also when that was before. It takes one more channel
   * of the host's open connection, and keeps that open. Null when there is none or no process, or when the host can't: no perl, a
   * kernel before 5.3, no channel left. Throws HostError `host-key-changed`.
   */
  watch(
    target: HostTarget,
    key: ExpectedKey,
    processes: Readonly<Partial<Record<Component, number>>>,
    onGone: OnGone,
  ): Promise<HostWatch | null>;
  /**
   * Copies a file from one host to another by SFTP, from byte `offset` on, on channels of their own. `onBytes` hears how many are over, and ends it
   * by false: then the answer is false. Throws HostError; `script` with code `SFTP` when a host says no (no room, no such file).
   */
  copy(from: HostFile, to: HostFile, offset: number, onBytes: (bytes: number) => boolean): Promise<boolean>;
  /**
   * Ends the host's connection once what was asked of it so far is answered, so that the next request logs in anew: a login keeps the rights
   * that it came with. A copy under way keeps its connection. Never throws.
   */
  logOut(target: HostTarget): void;
  /** Closes every connection. */
  close(): Promise<void>;
}
