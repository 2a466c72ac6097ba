/** Durations, and weekly windows such as those in which a cluster is maintained (UTC). Pure. */

/** Clocks farther off than this confuse logs and certificates. In seconds. */
export const SKEWED_S = 30;

const HOUR = 3_600_000;
/** In ms. */
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: HOUR, d: 24 * HOUR };

/** `90s`, `30m`, `2h`, `1d` in ms; null for anything else. */
export function parseDuration(text: string): number | null {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return UNITS[unit] === undefined ? null : Number(count) * UNITS[unit];
}

/** A weekly window, in minutes since Monday 00:00 UTC; `to` may be past the week's end. */
export interface Window {
  from: number;
  to: number;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DAY = 24 * 60;
const WEEK = 7 * DAY;

/** `Sat 22:00-02:00`, or `daily 03:00-03:30`; UTC. An end that is not after its beginning is on the next day. Null for anything else. */
export function parseWindow(text: string): Window[] | null {
  const found = /^([a-z]+) ([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d)$/.exec(text.trim().toLowerCase());
  if (!found) return null;
  const [, day = '', h1, m1, h2, m2] = found;
  const days = day === 'daily' ? DAYS : DAYS.filter((each) => each === day);
  const from = Number(h1) * 60 + Number(m1);
  const to = Number(h2) * 60 + Number(m2);
  if (days.length === 0 || from >= DAY || to > DAY) return null;
  return days.map((each) => {
    const base = DAYS.indexOf(each) * DAY;
    return { from: base + from, to: base + (to > from ? to : to + DAY) };
  });
}

/** Whether the instant lies in one of the windows. */
export function inWindow(windows: readonly Window[], now: Date): boolean {
  const minute = ((now.getUTCDay() + 6) % 7) * DAY + now.getUTCHours() * 60 + now.getUTCMinutes();
  return windows.some(({ from, to }) => [minute, minute + WEEK].some((each) => from <= each && each < to));
}
