/** What a check says, one short line each: how it stands, and what to type where a person has to see to it. Pure. */
import type { Check, CheckId } from '../plan/check.js';
import { linuxTexts } from './check-linux.js';
import type { Texts } from './check-text.js';
import { windowsTexts } from './check-windows.js';
import type { Voice } from './voice.js';

const common: Texts<'address' | 'clock' | 'disk' | 'forwarding' | 'machine'> = {
  address: {
    ok: ({ address }) => `It holds ${address}.`,
    fix: ({ address }, { code }) =>
      `None of its network cards holds ${address}. Check the address, or where ${code('ssh')} leads.`,
  },
  clock: {
    ok: () => 'Its clock is right.',
    fix: ({ skew, os }, { code }) =>
      `Its clock is ${Math.abs(skew)} s ${skew > 0 ? 'ahead' : 'behind'}: ${code(os === 'windows' ? 'w32tm /resync' : 'timedatectl set-ntp true')}`,
  },
  disk: {
    ok: ({ free }) => `${size(free)} are free.`,
    note: ({ free, image }) =>
      `${size(free)} are free; the base image of Windows Server Core alone takes ${size(image)}.`,
    fix: ({ free, least }) => `Only ${size(free)} are free: make room for ${size(least)} at least.`,
  },
  forwarding: { ok: () => 'It forwards packets.', will: () => 'It forwards no packets' },
  machine: { unknown: () => 'It did not tell what it is. Ask again.' },
};

const texts: Texts<CheckId> = { ...common, ...windowsTexts, ...linuxTexts };

/** `member`: the node's name; null for a host that is none, which adding it makes one. */
export function checkLine(check: Check, member: string | null, voice: Voice): string {
  // The table has a text for each id at each of its verdicts, with the facts of just that one.
  const text = texts[check.id] as Readonly<Record<string, (facts: object, say: Voice) => string>>;
  const said = text[check.verdict]?.(check.facts, voice) ?? '';
  if (check.verdict !== 'will') return said;
  const by = voice.code(member === null ? 'add' : `repair ${member}`);
  return `${said}: ${by} sees to it.`;
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
