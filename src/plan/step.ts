/** Steps against what a host holds: done already, in the way, or never to be done. Pure. */
import { type Cidr, contains, type Ipv4, podGateway, prefixLength } from '../ip.js';
import { holds } from '../network/route.js';
import type { InstalledComponent, WindowsMachine } from './machine.js';
import type { Observation, Step } from './plan.js';

/**
 * True when the host already is as the step wants it.
 *
 *     step          | ensure                                         | remove
 *     --------------|------------------------------------------------|------------------------------------
 *     route         | held in full, and no wrong one of ours beside  | no route of ours like it
 *     forwarding    | on                                             | off
 *     bridge        | it holds the gateway and is up                 | gateway gone (own bridge: bridge gone)
 *     pod-network   | docker has it, with this subnet and gateway    | docker does not have it
 *     pod-gateway   | the address is there and its NIC forwards      | the address is gone
 *     routing-…     | a router, running, at boot too                 | set up for nothing, ours gone
 *     reboot        | Windows waits for none                         | (no such step)
 *     virtual-sw…   | one of the name, and internal                  | none of the name
 *     image         | docker has it                                  | docker does not have it
 *     component     | as specified, running, at boot too             | no service and no task of ours
 *     persistence   | helper and unit there, networkd lets routes be | both gone
 */
export function stepHolds(step: Step, observed: Observation): boolean {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'route': {
      const { destination, nextHop } = step.route;
      const ours = observed.routes.filter((seen) => seen.ours && seen.destination === destination);
      if (!ensure) return !ours.some((seen) => seen.nextHop === nextHop);
      return (
        observed.routes.some((seen) => holds(seen, step.route)) &&
        ours.every((seen) => holds(seen, step.route))
      );
    }
    case 'forwarding':
      return observed.forwarding === ensure;
    case 'bridge': {
      const addressed = hasAddress(observed, step.podCidr, step.bridge);
      if (!ensure) return !addressed && !(step.ownBridge && observed.bridges.includes(step.bridge));
      // The connected route is there only while the bridge is up.
      return (
        addressed &&
        observed.routes.some((seen) => seen.destination === step.podCidr && seen.device === step.bridge)
      );
    }
    case 'pod-network': {
      const networks = observed.windows?.podNetworks ?? null;
      if (networks === null) return false;
      const named = networks.filter((network) => network.name === step.network);
      if (!ensure) return named.length === 0;
      return named.some(
        (network) => network.subnet === step.podCidr && network.gateway === podGateway(step.podCidr),
      );
    }
    case 'pod-gateway': {
      const addressed = hasAddress(observed, step.podCidr);
      return ensure ? addressed && observed.windows?.podNicForwarding === true : !addressed;
    }
    case 'persistence': {
      const machine = observed.linux;
      if (machine === undefined) return false;
      return ensure
        ? machine.helper === 'current' &&
            machine.restoresAtBoot === true &&
            machine.keepsForeignRoutes !== false
        : machine.helper === null && machine.restoresAtBoot !== true;
    }
    case 'build':
    case 'binary':
      return false;
    default:
      return observed.windows !== undefined && machineHolds(step, observed.windows.machine);
  }
}

/** The steps that do not hold, and a restart for those of them that may take one: whether they do shows only once they are done. */
export function missing(steps: readonly Step[], observed: Observation): Step[] {
  const open = steps.filter((step) => !stepHolds(step, observed));
  const mayTakeRestart = open.some(({ kind }) => kind === 'routing-service');
  return steps.filter((step) => open.includes(step) || (step.kind === 'reboot' && mayTakeRestart));
}

type MachineStep = Extract<
  Step,
  { kind: 'routing-service' | 'reboot' | 'virtual-switch' | 'image' | 'component' }
>;

/** Of the steps that make a node of a Windows machine. */
function machineHolds(step: MachineStep, machine: WindowsMachine): boolean {
  const ensure = step.action === 'ensure';
  switch (step.kind) {
    case 'routing-service': {
      const { routing } = machine;
      return ensure ? routing?.isRouter === true && routing.runs && routing.atBoot : routing === null;
    }
    case 'reboot':
      return !machine.rebootPending;
    case 'virtual-switch': {
      if (machine.switches === null || 'error' in machine.switches) return false;
      const named = machine.switches.filter(({ name }) => name === step.name);
      return ensure ? named.length === 1 && named[0]?.type === 'Internal' : named.length === 0;
    }
    case 'image':
      return 'version' in machine.docker && (machine.pauseImage !== null) === ensure;
    case 'component': {
      const installed = machine.components[step.component];
      if (!ensure) return installed === null || !installed.ours;
      return installed !== null && isSetUpAs(step, installed) && installed.atBoot && installed.runs;
    }
  }
}

/** Whether it would start just what the step says; running or not. */
export function isSetUpAs(
  step: Extract<Step, { kind: 'component' }>,
  installed: InstalledComponent,
): boolean {
  return (
    installed.executable === step.executable &&
    installed.arguments === step.arguments &&
    installed.environment.join('\n') === step.environment.join('\n')
  );
}

/** What, not Fairway's, is in the way of a route step: a route to the same destination that leads elsewhere. null: nothing. */
export function conflicts(step: Step, observed: Observation): string | null {
  if (step.kind !== 'route' || step.action !== 'ensure') return null;
  const other = observed.routes.find(
    (seen) => !seen.ours && seen.destination === step.route.destination && !holds(seen, step.route),
  );
  if (other === undefined) return null;
  const via = other.nextHop === null ? '' : ` via ${other.nextHop}`;
  return `${other.destination}${via} dev ${other.device} is not Fairway's`;
}

/** Why a route may never be made on the node with this address and slice, whatever it holds. null: it may. */
export function forbidden(
  step: Step,
  on: { address: Ipv4; podCidr: Cidr; clusterCidr: Cidr },
): string | null {
  if (step.kind !== 'route' || step.action !== 'ensure') return null;
  const { destination, nextHop } = step.route;
  if (!contains(on.clusterCidr, destination))
    return `${destination} is outside the cluster's ${on.clusterCidr}`;
  if (contains(destination, on.podCidr) || contains(on.podCidr, destination)) {
    return `${destination} overlaps the node's own ${on.podCidr}`;
  }
  if (contains(destination, on.address)) return `${destination} covers the node's own address ${on.address}`;
  // Only the guide's next hop, the peer's pod gateway, lies in the slice that it leads to.
  if (contains(destination, nextHop) && nextHop !== podGateway(destination)) {
    return `${destination} covers its own next hop ${nextHop}`;
  }
  return null;
}

function hasAddress(observed: Observation, podCidr: Cidr, device?: string): boolean {
  return observed.addresses.some(
    (held) =>
      held.address === podGateway(podCidr) &&
      held.prefixLength === prefixLength(podCidr) &&
      (device === undefined || held.device === device),
  );
}
