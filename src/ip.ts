/** IPv4 addresses and CIDRs as canonical text. Everything past the parsers below is canonical, so `===` compares. Pure. */
import ipaddr from 'ipaddr.js';

/** Canonical dotted-quad text, such as `10.0.0.7`. */
export type Ipv4 = string;
/** Canonical CIDR text, such as `192.168.3.0/24`: no host bits, no leading zeros. */
export type Cidr = string;

/** Parses exactly four plain decimal parts; null for everything else that inet_aton would take (`10.7`, `0x0a000007`, `10.0.0.07`). */
export function parseIpv4(text: string): Ipv4 | null {
  // ipaddr.js' own isValid() accepts the classful and octal forms, which would name another machine than the reader sees.
  return /^[0-9.]+$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text) && toText(toNumber(text)) === text
    ? text
    : null;
}

/** Parses `a.b.c.d/len` without host bits; null for everything else. */
export function parseCidr(text: string): Cidr | null {
  const [base = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^(0|[1-9][0-9]?)$/.test(length) || Number(length) > 32) return null;
  if (parseIpv4(base) === null) return null;
  return toNumber(base) % sizeOf(text) === 0 ? text : null;
}

/** The address as an unsigned 32-bit number. */
export function toNumber(address: Ipv4): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The address of an unsigned 32-bit number. */
export function toText(value: number): Ipv4 {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** The prefix length of a CIDR, in bits. */
export function prefixLength(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** How many addresses a CIDR holds. */
export function sizeOf(cidr: Cidr): number {
  return 2 ** (32 - prefixLength(cidr));
}

/** The first address of a CIDR, as a number. */
export function baseOf(cidr: Cidr): number {
  return toNumber(cidr.slice(0, cidr.indexOf('/')));
}

/** The dotted mask of a CIDR, such as `255.255.255.0`. */
export function maskOf(cidr: Cidr): Ipv4 {
  return toText(2 ** 32 - sizeOf(cidr));
}

/** True when `inner` (a CIDR or an address) lies wholly within `outer`. */
export function contains(outer: Cidr, inner: Cidr | Ipv4): boolean {
  const start = inner.includes('/') ? baseOf(inner) : toNumber(inner);
  const size = inner.includes('/') ? sizeOf(inner) : 1;
  return start >= baseOf(outer) && start + size <= baseOf(outer) + sizeOf(outer);
}

/** True when the two CIDRs share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a);
}

/** The CIDR of the given prefix length that holds the address. */
export function cidrAround(address: Ipv4, length: number): Cidr {
  const size = 2 ** (32 - length);
  return `${toText(Math.floor(toNumber(address) / size) * size)}/${length}`;
}

/** The `.1` of a pod CIDR, which its node's bridge or transparent network holds (S6). */
export function podGateway(podCidr: Cidr): Ipv4 {
  return toText(baseOf(podCidr) + 1);
}
