/** What is checked of a Windows host, in the order in which a node is made of it (windows.md A14). Pure. */
import { type Check, check } from './check.js';
import { containerChecks } from './check-containers.js';
import { processChecks } from './check-processes.js';
import { type Looked, restored, standing } from './check-steps.js';
import { isBefore } from './check-version.js';
import type { WindowsMachine } from './machine.js';

/** Windows Server 2016 RTM (S3). */
const OLDEST_BUILD = 14393;
/** Of docker's version only the three numbers count: `1.12.2-cs2-ws-beta` is no older than `1.12.2` (S4). */
const OLDEST_DOCKER = '1.12.2';
/** The first docker whose networks have a DNS server on Windows (moby/libnetwork#1412, merged in September 2016; S15). */
const DNS_DOCKER = '1.13.0';

/** The machine must have been read whole. */
export function windowsChecks(on: Looked): Check[] {
  const { windows } = on.observed;
  if (windows === undefined) return [check('machine', 'unknown', {})];
  const { machine } = windows;
  return [
    edition(windows.build, machine),
    machine.isAdministrator ? check('administrator', 'ok', {}) : check('administrator', 'fix', {}),
    ...docker(machine),
    ...routing(on, machine),
    ...containerChecks(on, windows),
    ...processChecks(on, machine),
  ];
}

function edition(build: number, { product, isServer }: WindowsMachine): Check {
  return build < OLDEST_BUILD || !isServer
    ? check('windows', 'fix', { product, build, oldest: OLDEST_BUILD })
    : check('windows', 'ok', { product, build });
}

function docker({ docker: answer }: WindowsMachine): Check[] {
  if ('error' in answer) return [check('docker', 'fix', { error: answer.error })];
  const { version } = answer;
  if (isBefore(version, OLDEST_DOCKER)) return [check('docker', 'fix', { version, oldest: OLDEST_DOCKER })];
  const dns = isBefore(version, DNS_DOCKER)
    ? check('container-dns', 'note', { from: '1.13' })
    : check('container-dns', 'ok', {});
  return [check('docker', 'ok', { version }), dns];
}

/** Forwarding, the service that the guide has for it, and the restart which that may take. */
function routing(on: Looked, machine: WindowsMachine): Check[] {
  return [
    check('forwarding', restored(on, 'forwarding'), {}),
    ...routingService(on, machine),
    check('restart', standing(on, 'reboot') ?? (machine.rebootPending ? 'note' : 'ok'), {}),
  ];
}

function routingService(on: Looked, { routing: setup, features }: WindowsMachine): Check[] {
  const stands = standing(on, 'routing-service');
  if (stands === null || stands === 'ok') return stands === null ? [] : [check('routing-service', 'ok', {})];
  // What serves as a router and a VPN already is left as it is; what serves as a VPN only is not ours to change.
  if (setup?.isVpn) return [check('routing-service', 'fix', {})];
  return [check('routing-service', features === null ? 'unknown' : stands, {})];
}
