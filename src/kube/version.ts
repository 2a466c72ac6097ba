/** What depends on the version of Kubernetes. Pure. */

/** Whether a version such as `1.5` or `v1.31.2` is 1.`minor` or later. */
export function isAtLeast(version: string, minor: number): boolean {
  const [major = '1', found = '0'] = version.replace(/^v/, '').split('.');
  return Number(major) > 1 || Number(found) >= minor;
}

/** The label that says which operating system a node has. It was beta until Kubernetes 1.14. */
export function osLabel(version: string): string {
  return isAtLeast(version, 14) ? 'kubernetes.io/os' : 'beta.kubernetes.io/os';
}
