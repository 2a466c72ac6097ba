/** Building kubelet and kube-proxy for Windows: what is asked for, what a build host needs, and the plan. Pure. */
import { z } from 'zod';
import { type BuildLack, Refusal } from '../errors.js';
import { Component } from '../node/component.js';
import type { Node } from '../node/node.js';
import { parseSource } from '../source.js';
import { isBefore } from './check-version.js';
import type { BuildPlan, HostPlan } from './plan.js';

/** A tag of Kubernetes'. It becomes a git ref and a folder on Windows, so neither two dots in a row nor one at the end. */
export const Version = z
  .string()
  .max(64)
  .regex(/^v\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/)
  .refine((text) => !text.includes('..') && !text.endsWith('.'));

export const Source = z.string().refine((text) => parseSource(text) !== null);

export const BuildAsked = z.strictObject({ component: Component, version: Version, source: Source });
export type BuildAsked = z.infer<typeof BuildAsked>;

/** By Kubernetes' own makefile, or by Go alone. */
export type BuildTool = 'make' | 'go';

/** What exactly is built, where. */
export interface BuildSpec extends BuildAsked {
  /** The commit that the version's tag leads to. */
  commit: string;
  by: BuildTool;
  /** The folder on the build host that holds all of it. */
  dir: string;
}

/** A binary that was built. */
export interface Built {
  component: Component;
  version: string;
  source: string;
  commit: string;
  /** The build host. */
  host: string;
  path: string;
  /** Bytes. */
  size: number;
  /** SHA-256, in hex. */
  sha256: string;
  /** Go's version. */
  go: string;
  /** ISO instant at which that was known first, and by which change. */
  at: string;
  changeId: string;
  /** ISO instant of the last build that came to it, if only to find it there. Absent on records from before that was noted. */
  askedAt?: string;
}

/** What a look at the build host found. */
export interface BuildCheck {
  /** Versions; null when the program is not there, or says no version. */
  git: string | null;
  go: string | null;
  make: boolean;
  /** Bytes, where the folder is or would be. */
  freeBytes: number | null;
  /** null: git found no such tag there. */
  commit: string | null;
  /** That very commit was built there already. */
  built: boolean;
}

/** The guide's own (S16). */
const OLDEST_GO = '1.7.1';
/** Kubernetes' makefile before 1.11 compares Go's version as text, in which go1.10 comes before go1.9. (kubernetes#60389, #65905) */
const TEXT_COMPARED = { before: '1.11', go: '1.10', newest: '1.9' };

/**
 * A guess on the safe side, not measured on Kubernetes itself: a checkout without history (0.5 GB), what Go keeps of the packages of two
 * platforms (2 GB), and room for the linker. A disk that runs full all the same fails the build, and its words are on the card.
 */
const DISK_BYTES = 4 * 1024 ** 3;

/** What is missing for a build of that version. One that is there already needs nothing. */
export function lacks(check: BuildCheck, by: BuildTool, version: string): BuildLack[] {
  if (check.git === null) return [{ what: 'git' }];
  if (check.built) return [];
  return [
    ...(check.go === null ? [{ what: 'go' as const }] : []),
    ...(check.go !== null && isBefore(check.go, OLDEST_GO)
      ? [{ what: 'go-old' as const, has: check.go, needs: OLDEST_GO }]
      : []),
    ...(check.go !== null && by === 'make' && isTooNew(check.go, version)
      ? [{ what: 'go-new' as const, has: check.go, version, newest: TEXT_COMPARED.newest }]
      : []),
    ...(by === 'make' && !check.make ? [{ what: 'make' as const }] : []),
    ...(check.freeBytes === null ? [{ what: 'disk-unknown' as const }] : []),
    ...(check.freeBytes !== null && check.freeBytes < DISK_BYTES
      ? [{ what: 'disk' as const, freeBytes: check.freeBytes, needsBytes: DISK_BYTES }]
      : []),
  ];
}

function isTooNew(go: string, version: string): boolean {
  return isBefore(version, TEXT_COMPARED.before) && !isBefore(go, TEXT_COMPARED.go);
}

/**
 * The plan of a build. `commands` writes it down as a person would do it. Throws the Refusals `build-host-unfit` and `tag-unknown`;
 * `said` is what git printed.
 */
export function planBuild(
  asked: BuildAsked & Pick<BuildSpec, 'by' | 'dir'>,
  builder: Node,
  check: BuildCheck,
  seen: { hostKey: HostPlan['hostKey']; said: string; basedOn: number; commands(spec: BuildSpec): string[] },
): BuildPlan {
  const { git, go, make, commit, built } = check;
  const wrong = lacks(check, asked.by, asked.version);
  if (wrong.length > 0) throw new Refusal('build-host-unfit', { host: builder.name, lacks: wrong });
  if (commit === null)
    throw new Refusal('tag-unknown', { version: asked.version, source: asked.source, why: seen.said });
  const spec: BuildSpec = { ...asked, commit };
  const host: HostPlan = {
    host: builder.name,
    os: builder.os,
    podCidr: builder.podCidr,
    role: 'node',
    steps: [{ kind: 'build', action: 'ensure', ...spec }],
    undo: [],
    commands: seen.commands(spec),
    undoCommands: [],
    observed: null,
    hostKey: seen.hostKey,
  };
  return {
    ...{ kind: 'build', basedOn: seen.basedOn, together: [], hosts: [host], foreign: [] },
    ...{ builder, spec, tools: { git: git ?? '', go: go ?? '', make }, built },
  };
}

/** Names a build for good. */
export function buildKey({ component, version, commit }: Pick<Built, 'component' | 'version' | 'commit'>) {
  return `${component} ${version} ${commit}`;
}
