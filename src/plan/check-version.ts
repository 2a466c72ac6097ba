/** Versions of what runs on hosts, by their numbers alone. Pure. */

/** True when `version` is older than `than`; what follows their first three numbers does not count. A text without any is older than all. */
export function isBefore(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)];
  const at = a.findIndex((number, i) => number !== b[i]);
  return at !== -1 && (a[at] ?? 0) < (b[at] ?? 0);
}

function numbersOf(text: string): number[] {
  const [, major = '-1', minor = '0', patch = '0'] = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(text) ?? [];
  return [major, minor, patch].map(Number);
}
