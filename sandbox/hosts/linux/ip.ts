/** `ip -batch`: the few commands that Fairway sends, with the kernel's own refusals. Pure. */
import { cidrAround, contains, type Ipv4, parseCidr, parseIpv4 } from '../../../src/ip.js';
import type { Interface, LinuxHost, LinuxRoute } from '../state.js';

/** What `ip` prints of a line that fails. */
class IpError extends Error {}

const EXISTS = 'RTNETLINK answers: File exists';
const NO_ROUTE = 'RTNETLINK answers: No such process';

/** Runs every line, as `ip -force` does: a failing one says so and does not stop the next. */
export function runBatch(host: LinuxHost, batch: string): { host: LinuxHost; printed: string } {
  let now = host;
  let printed = '';
  for (const [index, line] of batch.split('\n').entries()) {
    const words = line.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    try {
      now = runLine(now, words);
    } catch (error) {
      if (!(error instanceof IpError)) throw error;
      printed += `${error.message}\nCommand failed -:${index + 1}\n`;
    }
  }
  return { host: now, printed };
}

function runLine(host: LinuxHost, [object = '', verb = '', ...rest]: string[]): LinuxHost {
  switch (`${object} ${verb.replace(/^delete$/, 'del')}`) {
    case 'route add':
      return addRoute(host, rest);
    case 'route del':
      return deleteRoute(host, rest);
    case 'link add':
      return addLink(host, rest);
    case 'link set':
      return setLink(host, rest);
    case 'link del':
      return deleteLink(host, rest);
    case 'address add':
    case 'addr add':
      return addAddress(host, rest);
    case 'address del':
    case 'addr del':
      return deleteAddress(host, rest);
    default:
      throw new IpError(`Command "${object} ${verb}" is unknown, try "ip help".`);
  }
}

interface RouteWords {
  destination: string;
  via?: Ipv4;
  dev?: string;
  proto?: string;
  metric?: number;
  onlink: boolean;
}

function routeWords(words: readonly string[]): RouteWords {
  const [target = ''] = words;
  const found: RouteWords = { destination: prefix(target), onlink: false };
  for (let at = 1; at < words.length; at += 1) {
    const [word, value = ''] = [words[at], words[at + 1] ?? ''];
    if (word === 'onlink') {
      found.onlink = true;
      continue;
    }
    if (word === 'via') found.via = inet(value);
    else if (word === 'dev') found.dev = value;
    else if (word === 'proto' || word === 'protocol') found.proto = protocol(value);
    else if (word === 'metric') found.metric = Number(value);
    else throw new IpError(`Error: either "to" is duplicate, or "${word}" is a garbage.`);
    at += 1;
  }
  return found;
}

function addRoute(host: LinuxHost, words: readonly string[]): LinuxHost {
  const { destination, via, dev, proto = 'boot', metric = 0, onlink } = routeWords(words);
  if (dev !== undefined) linkNamed(host, dev);
  const device = via === undefined ? dev : gatewayDevice(host, via, dev, onlink);
  if (device === undefined) throw new IpError('RTNETLINK answers: No such device');
  if (!linkNamed(host, device).up) throw new IpError('Error: Nexthop device is not up.');
  // NLM_F_EXCL: one route to a prefix and metric, whoever made it and wherever it leads.
  if (host.routes.some((held) => held.destination === destination && held.metric === metric)) {
    throw new IpError(EXISTS);
  }
  const route: LinuxRoute = { destination, nextHop: via ?? null, device, protocol: proto, metric };
  return { ...host, routes: [...host.routes, onlink ? { ...route, onlink } : route] };
}

/** The device that a gateway is on-link at; the kernel refuses any other gateway. */
function gatewayDevice(host: LinuxHost, via: Ipv4, dev: string | undefined, onlink: boolean): string {
  if (onlink && dev !== undefined) return dev;
  const connected = host.routes.find(
    (held) =>
      held.nextHop === null && contains(held.destination, via) && (dev === undefined || held.device === dev),
  );
  if (connected === undefined) throw new IpError('Error: Nexthop has invalid gateway.');
  return connected.device;
}

function deleteRoute(host: LinuxHost, words: readonly string[]): LinuxHost {
  const { destination, via, dev, proto, metric } = routeWords(words);
  const at = host.routes.findIndex(
    (held) =>
      held.destination === destination &&
      (via === undefined || held.nextHop === via) &&
      (dev === undefined || held.device === dev) &&
      (proto === undefined || held.protocol === proto) &&
      (metric === undefined || held.metric === metric),
  );
  if (at === -1) throw new IpError(NO_ROUTE);
  return { ...host, routes: host.routes.filter((_, index) => index !== at) };
}

function addLink(host: LinuxHost, words: readonly string[]): LinuxHost {
  const [name = '', type, kind, ...more] = words[0] === 'name' ? words.slice(1) : words;
  if (type !== 'type' || kind !== 'bridge' || more.length > 0) {
    throw new IpError('RTNETLINK answers: Operation not supported');
  }
  if (name === '' || name.length > 15)
    throw new IpError(`Error: argument "${name}" is wrong: "name" not a valid ifname`);
  if (host.interfaces.some((link) => link.name === name)) throw new IpError(EXISTS);
  const ifIndex = 1 + Math.max(...host.interfaces.map((link) => link.ifIndex));
  const link: Interface = {
    name,
    ifIndex,
    mac: `0a:58:0a:00:00:${ifIndex.toString(16).padStart(2, '0')}`,
    kind: 'bridge',
    up: false,
    addresses: [],
  };
  return { ...host, interfaces: [...host.interfaces, link] };
}

function setLink(host: LinuxHost, words: readonly string[]): LinuxHost {
  const [name = '', wanted, ...more] = words[0] === 'dev' ? words.slice(1) : words;
  if ((wanted !== 'up' && wanted !== 'down') || more.length > 0) {
    throw new IpError(`Error: either "dev" is duplicate, or "${wanted ?? ''}" is a garbage.`);
  }
  const link = linkNamed(host, name);
  const up = wanted === 'up';
  if (link.up === up) return host;
  const changed = replaceLink(host, { ...link, up });
  // Down: the kernel drops every route of the device, silently. Up: only the connected ones return.
  return up
    ? link.addresses.reduce((seen, held) => connect(seen, link.name, held), changed)
    : { ...changed, routes: changed.routes.filter((route) => route.device !== name) };
}

function deleteLink(host: LinuxHost, words: readonly string[]): LinuxHost {
  const [name = ''] = words[0] === 'dev' ? words.slice(1) : words;
  if (linkNamed(host, name).kind !== 'bridge')
    throw new IpError('RTNETLINK answers: Operation not supported');
  return {
    ...host,
    interfaces: host.interfaces.filter((link) => link.name !== name),
    routes: host.routes.filter((route) => route.device !== name),
  };
}

function addAddress(host: LinuxHost, words: readonly string[]): LinuxHost {
  const { held, link } = addressWords(host, words);
  if (link.addresses.some((other) => same(other, held))) {
    throw new IpError('Error: ipv4: Address already assigned.');
  }
  const changed = replaceLink(host, { ...link, addresses: [...link.addresses, held] });
  return link.up ? connect(changed, link.name, held) : changed;
}

function deleteAddress(host: LinuxHost, words: readonly string[]): LinuxHost {
  const { held, link } = addressWords(host, words);
  if (!link.addresses.some((other) => same(other, held))) {
    throw new IpError('Error: ipv4: Address not found.');
  }
  const changed = replaceLink(host, {
    ...link,
    addresses: link.addresses.filter((other) => !same(other, held)),
  });
  const lan = cidrAround(held.address, held.prefixLength);
  const gone = (route: LinuxRoute): boolean =>
    route.device === link.name &&
    (route.prefsrc === held.address || (route.nextHop !== null && contains(lan, route.nextHop)));
  return { ...changed, routes: changed.routes.filter((route) => !gone(route)) };
}

function addressWords(host: LinuxHost, words: readonly string[]) {
  const [text = '', dev, name = '', ...more] = words;
  const [address = '', length = '32'] = text.split('/');
  if (dev !== 'dev' || more.length > 0 || !/^\d+$/.test(length) || Number(length) > 32) {
    throw new IpError(`Error: any valid prefix is expected rather than "${words.join(' ')}".`);
  }
  return {
    held: { address: inet(address), prefixLength: Number(length) },
    link: linkNamed(host, name),
  };
}

/** The kernel's own route to the subnet of a new address. */
function connect(host: LinuxHost, device: string, held: { address: Ipv4; prefixLength: number }): LinuxHost {
  if (held.prefixLength === 32) return host;
  const destination = cidrAround(held.address, held.prefixLength);
  const route = { destination, nextHop: null, device, protocol: 'kernel', metric: 0, prefsrc: held.address };
  return { ...host, routes: [...host.routes, route] };
}

function linkNamed(host: LinuxHost, name: string): Interface {
  const link = host.interfaces.find((other) => other.name === name);
  if (link === undefined) throw new IpError(`Cannot find device "${name}"`);
  return link;
}

function replaceLink(host: LinuxHost, link: Interface): LinuxHost {
  return {
    ...host,
    interfaces: host.interfaces.map((other) => (other.name === link.name ? link : other)),
  };
}

function same(a: { address: Ipv4; prefixLength: number }, b: typeof a): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength;
}

function prefix(text: string): string {
  if (text === 'default') return '0.0.0.0/0';
  const cidr = parseCidr(text.includes('/') ? text : `${text}/32`);
  if (cidr !== null) return cidr;
  const [address = ''] = text.split('/');
  throw new IpError(
    parseIpv4(address) === null
      ? `Error: inet prefix is expected rather than "${text}".`
      : 'Error: Invalid prefix for given prefix length.',
  );
}

function inet(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === null) throw new IpError(`Error: inet address is expected rather than "${text}".`);
  return address;
}

/** The names that Debian's rt_protos gives to numbers, as far as anybody here uses them. */
function protocol(text: string): string {
  const names: Readonly<Record<string, string>> = { '2': 'kernel', '3': 'boot', '4': 'static' };
  if (/^\d{1,3}$/.test(text) && Number(text) < 256) return names[text] ?? text;
  if (Object.values(names).includes(text)) return text;
  throw new IpError(`Error: argument "${text}" is wrong: "protocol" value is invalid`);
}
