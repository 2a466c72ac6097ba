/** Where git finds a source: what of the many forms that git takes is taken here. Pure. */

const FORM =
  /^(https?:\/\/|ssh:\/\/([A-Za-z0-9._-]+@)?|\/)[A-Za-z0-9._~][A-Za-z0-9._~+-]*(:\d{1,5})?(\/[A-Za-z0-9._~+-]+)*\/?$/;

/**
 * http(s) and ssh without a password in it, or a folder of the build host's; null for anything else: git's other transports run programs.
 * At most 200 characters, which any shell leaves alone.
 */
export function parseSource(text: string): string | null {
  return text.length <= 200 && FORM.test(text) && !text.includes('..') ? text : null;
}
