/** Takes secrets out of text. Pure. */

const NAMES = 'pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|token';

const secrets: readonly [pattern: RegExp, replacement: string][] = [
  // Within a JSON line the newlines of a key are `\n` in two characters, so the body may be anything.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[private key]'],
  [/\b(?:xox[a-z]|xapp|xwfp)[-.][A-Za-z0-9.-]{6,}/g, '[slack token]'],
  [/\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*/g, '[token]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, '$1 [secret]'],
  // redis://user:password@host
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s@/"]+@/gi, '$1:[secret]@'],
  // password=…, "token": "…" (also within a JSON text within a line), --client-secret …, -Password '…'
  [new RegExp(String.raw`((?:${NAMES})"?\s*[=:]\s*")(?:[^"\\]|\\.)+`, 'gi'), '$1[secret]'],
  [new RegExp(String.raw`((?:${NAMES})(?:\\")?\s*[=:]\s*\\")(?:(?!\\").)+`, 'gi'), '$1[secret]'],
  [new RegExp(String.raw`((?:${NAMES})'?\s*[=:]\s*')[^']+`, 'gi'), '$1[secret]'],
  [new RegExp(String.raw`((?:${NAMES})\s*[=:]\s*)[^\s"'\\,;]+`, 'gi'), '$1[secret]'],
  // A quote without its end goes as far as its line.
  [
    new RegExp(
      String.raw`(-{1,2}[a-z-]*(?:${NAMES})\s+)(?!-)(?:\\?"[^"]*"|'[^']*'|\\?"[^"\n]*|'[^'\n]*|[^\s"'\\]+)`,
      'gi',
    ),
    '$1[secret]',
  ],
];

/** The text without what looks like a token, a private key or a password. For everything a host printed, before it is kept or shown. */
export function redact(text: string): string {
  return secrets.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
