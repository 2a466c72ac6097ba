/** Kubernetes versions, as far as what is written for a cluster depends on them. Pure. */

/** Whether a version, such as `1.5` or `v1.31.2`, is 1.`minor` or later. */
export function isAtLeast(version: string, minor: number): boolean {
  const { major, minor: found } = partsOf(version);
  return major > 1 || found >= minor;
}

/** Whether two versions have the same flags and labels: those don't change within a minor version. */
export function isSameMinor(one: string, other: string): boolean {
  return minorOf(one) === minorOf(other);
}

/** `1.5` of `v1.5.2`. */
export function minorOf(version: string): string {
  const { major, minor } = partsOf(version);
  return `${major}.${minor}`;
}

export const OS_LABEL = 'kubernetes.io/os';
const BETA_OS_LABEL = 'beta.kubernetes.io/os';

/** The labels that say which operating system a node has. The new one wins: since 1.14 the beta one is only kept for old manifests. */
export const OS_LABELS: readonly string[] = [OS_LABEL, BETA_OS_LABEL];

/** The one of them that this version has. */
export function osLabel(version: string): string {
  return isAtLeast(version, 14) ? OS_LABEL : BETA_OS_LABEL;
}

function partsOf(version: string): { major: number; minor: number } {
  const [, major = '1', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return { major: Number(major), minor: Number(minor) };
}
