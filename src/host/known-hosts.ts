/** OpenSSH's known_hosts, for jump hosts: they are no nodes, so no plan ever pins them; whoever set them up did. Pure. */
import { createHash, createHmac } from 'node:crypto';

/** The fingerprints (`SHA256:…`) that known_hosts has for a server. Revoked keys and certificate authorities don't count. */
export function knownFingerprints(text: string, host: string, port: number): string[] {
  const name = port === 22 ? host : `[${host}]:${port}`;
  return text.split('\n').flatMap((line) => {
    const [patterns = '', , key] = line.trim().split(/\s+/);
    // A marker (@revoked, @cert-authority) or a comment.
    if (key === undefined || /^[@#]/.test(patterns)) return [];
    return matches(patterns, name.toLowerCase()) ? [fingerprintOf(Buffer.from(key, 'base64'))] : [];
  });
}

/** A host key's fingerprint as OpenSSH prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A list with commas, or one name hashed as `|1|salt|HMAC-SHA1` so that the file names nobody (sshd(8)). */
function matches(patterns: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|(.+)$/.exec(patterns) ?? [];
  if (salt !== undefined)
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  const list = patterns.toLowerCase().split(',');
  const fits = (pattern: string) => wildcard(pattern).test(name);
  return (
    list.some((pattern) => !pattern.startsWith('!') && fits(pattern)) &&
    !list.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)))
  );
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`);
}
