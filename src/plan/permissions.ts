/** Who may change what runs as Windows' system account, read from security descriptors (SDDL, MS-DTYP 2.5.1). Pure. */

/** An access-control entry: type, flags, rights, two object types that files have none of, and whom it is about. */
const ENTRY = /\((?<type>[A-Z]+);(?<flags>[A-Z]*);(?<rights>[^;]*);[^;]*;[^;]*;(?<who>[^;)]+)[^)]*\)/g;

/**
 * Groups in which whoever can log in is, or that guests are in: Everyone, Authenticated Users, Users, Interactive, Network, Anonymous, Guests,
 * Domain Users and Domain Guests. An account of its own with rights there is somebody's decision.
 */
const CROWDS = /^(WD|AU|BU|IU|NU|AN|BG|DU|DG|S-1-1-0|S-1-5-(2|4|7|11)|S-1-5-32-54[56]|S-1-5-21-.*-51[34])$/;

/** The rights that come by two letters (MS-DTYP 2.5.1.1), as far as they let somebody change something. */
const RIGHTS: Readonly<Record<string, number>> = {
  ...{ GA: 0x1000_0000, GW: 0x4000_0000, FA: 0x1f_01ff, FW: 0x12_0116 },
  ...{ SD: 0x1_0000, WD: 0x4_0000, WO: 0x8_0000, DC: 0x2, LC: 0x4, DT: 0x40 },
};

/** What a descriptor is of: a program, the folder that it lies in, or one further up. */
export type Guarded = 'program' | 'folder' | 'above';

/** To have it all, delete it or what is in it, take it over, or open it for others. */
const TAKE = 0x1000_0000 | 0xd_0000 | 0x40;
/**
 * In the program's own folder, to put a file there (0x2) too: Windows loads a program's libraries from it first. Further up that harms nothing, and
 * `C:\ProgramData` allows it to everybody. To make a folder (0x4) harms nowhere; in a file the same bit is to append.
 */
const HARM: Readonly<Record<Guarded, number>> = {
  above: TAKE,
  folder: TAKE | 0x4000_0000 | 0x2,
  program: TAKE | 0x4000_0000 | 0x2 | 0x4,
};

/** Whether everybody who can log in may change the program, or put another one in its place, where this descriptor is of `what`. */
export function isOpenToAll(sddl: string, what: Guarded): boolean {
  const list = /D:(?<flags>[A-Z_]*)(?<entries>(\([^)]*\))*)/.exec(sddl)?.groups;
  // Without a list everything is allowed to everybody.
  if (list === undefined || list['flags']?.includes('NO_ACCESS_CONTROL')) return true;
  return [...(list['entries'] ?? '').matchAll(ENTRY)].some(({ groups: entry = {} }) => {
    const { type = '', flags = '', rights = '', who = '' } = entry;
    // IO: of what will be made in it, not of itself.
    const isHere = /^X?A$/.test(type) && !pairs(flags).includes('IO');
    return isHere && CROWDS.test(who) && (maskOf(rights) & HARM[what]) !== 0;
  });
}

function maskOf(rights: string): number {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(rights)) return Number(rights);
  return pairs(rights).reduce((mask, right) => mask | (RIGHTS[right] ?? 0), 0);
}

function pairs(text: string): string[] {
  return text.match(/../g) ?? [];
}
