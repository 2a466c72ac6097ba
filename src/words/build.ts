/** Building a binary: the plan, how it goes, and what came of it. Pure. */
import type { HostResult } from '../change/change.js';
import type { BuildLack } from '../errors.js';
import type { BuildAsked, BuildSpec, Built } from '../plan/build.js';
import type { BuildPlan } from '../plan/plan.js';
import { code, plain, when } from './mrkdwn.js';
import { megabytes } from './phrase.js';
import { sayLack } from './refusal.js';
import { storedVoice } from './voice.js';

/** `kubelet v1.5.0`. */
export function buildName({ component, version }: Pick<BuildAsked, 'component' | 'version'>): string {
  return `${component} ${version}`;
}

/** What a plan is about to build, and with what. */
export function buildFacts({ spec, tools, built, builder }: BuildPlan): string[] {
  const with_ = [`Go ${tools.go}`, `git ${tools.git}`, ...(spec.by === 'make' ? ['make'] : [])];
  return [
    `${code(buildName(spec))} for Windows, commit ${code(spec.commit)}`,
    `From ${code(spec.source)}`,
    built
      ? `On ${code(builder.address)}: that commit was built there already, so it is taken as it is.`
      : `On ${code(builder.address)}, with ${plain(with_.join(', '))}`,
  ];
}

/** The same for the file. */
export function buildText({ spec, tools }: BuildPlan): string {
  return [
    `${buildName(spec)}, commit ${spec.commit}, from ${spec.source}`,
    `Go ${tools.go}, git ${tools.git}${tools.make ? ', make' : ''}`,
  ].join('\n');
}

/** Before there is a plan. */
export function askedFacts({ source }: BuildAsked): string[] {
  return [`From ${code(source)}`];
}

export const buildLooks = 'Looking at the build host…';
export const buildStarts = 'starts the build';
export const buildWaits = 'waits for another build to end';

export function building(spec: BuildSpec): string {
  return `builds ${buildName(spec)}`;
}

/** The last lines of a log, as they would stand on a terminal: what was overwritten there is left out. */
export function endOfLog(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\r').findLast((part) => part !== '') ?? '');
  return lines
    .filter((line) => line.trim() !== '')
    .slice(-LINES)
    .map((line) => line.slice(0, WIDEST))
    .join('\n');
}

const LINES = 6;
const WIDEST = 160;

/** `ended` is an exit code, as a rule. */
export function buildFailed(ended: string): string {
  return `The build ended with ${ended}. Its last lines say why; Details has the whole log. Put it right, then Retry.`;
}

export const buildLost =
  'The build ended without a result: the build host restarted, or somebody ended it. Retry builds it again.';

/** What was built, one fact a line. */
export function builtLines({ built }: HostResult): string[] {
  if (built === undefined) return [];
  return [
    built.reused
      ? `✅ ${code(buildName(built))} was there already: ${code(built.changeId)} built it ${when(built.at)}.`
      : `✅ ${code(buildName(built))} is built.`,
    ...fileLines(built),
  ];
}

function fileLines(built: Built): string[] {
  return [
    `${code(built.path)} on ${code(built.host)}, ${megabytes(built.size)}, Go ${plain(built.go, 40)}`,
    `SHA-256 ${code(built.sha256)}`,
  ];
}

/** The same for the file. */
export function builtText(built: Built): string[] {
  return [`# ${built.path}: ${built.size} bytes, SHA-256 ${built.sha256}, Go ${built.go}`];
}

/** One line of `builds`. */
export function buildLine(built: Built): string {
  return `${code(buildName(built))} ${when(built.at)} by ${code(built.changeId)}, commit ${code(built.commit.slice(0, 12))}\n${fileLines(built).join('\n')}`;
}

export const buildsWords = {
  head: (count: number) => `*Builds*, newest first: ${count}`,
  rest: (left: number) => `… and ${left} older.`,
  none: `Nothing was built yet. ${code('build kubelet v1.5.0')} does.`,
} as const;

/** The tag leads elsewhere by now. */
export function sayTagMoved(version: string, sealed: string, now: string | null): string {
  const where = now === null ? 'is gone' : `leads to ${now}`;
  return `${version} was ${sealed} when this was planned, and ${where} now, so nothing was built. Ask again.`;
}

export function sayBuildUnfit(host: string, lacks: readonly BuildLack[]): string {
  return `${host} can't build any more: ${lacks.map((lack) => sayLack(lack, storedVoice.code)).join('; ')}. Nothing was built. Put that right, then ask again.`;
}

/** `what` names both keys. */
export function sayOtherBuildKey(what: string): string {
  return `${what}. If it was installed anew, give it another name in the SSH configuration and in BUILD_HOST; if not, somebody stands in between`;
}

export function sayBuildAway(host: string, why: string): string {
  return `${host} could not be asked again, so nothing was built: ${why}. Ask again once it answers.`;
}
