/** What is checked of a Windows host's container network: card, image, switch, network, gateway (S8, S10 to S12, S14). Pure. */
import { podGateway } from '../ip.js';
import { type Check, check } from './check.js';
import { type Looked, restored, standing } from './check-steps.js';
import { chooseNic } from './container-nic.js';
import type { WindowsMachine } from './machine.js';
import type { Observation, PodNetwork } from './plan.js';

type Windows = NonNullable<Observation['windows']>;

export function containerChecks(on: Looked, windows: Windows): Check[] {
  return [
    image(on, windows.machine),
    virtualSwitch(on, windows.machine),
    card(on, windows),
    network(on, windows.podNetworks),
    // Which card it would be on is not known.
    ...(hasUnknownCard(on) ? [] : [check('pod-gateway', restored(on, 'pod-gateway'), {})]),
  ];
}

function image(on: Looked, { docker }: WindowsMachine): Check {
  const facts = { image: on.policy.pauseImage };
  return 'error' in docker
    ? check('pause-image', 'unknown', facts)
    : check('pause-image', standing(on, 'image') ?? 'will', facts);
}

function virtualSwitch(on: Looked, { switches, isAdministrator }: WindowsMachine): Check {
  const step = on.steps.find((each) => each.kind === 'virtual-switch');
  const name = step?.name ?? '';
  if (switches === null) return check('virtual-switch', 'fix', { name, error: null });
  if ('error' in switches) {
    // Hyper-V tells nobody else.
    return isAdministrator
      ? check('virtual-switch', 'fix', { name, error: switches.error })
      : check('virtual-switch', 'unknown', { name });
  }
  const types = switches.filter((each) => each.name === name).map(({ type }) => type);
  const stands = standing(on, 'virtual-switch') ?? 'will';
  // One that is there and not as the step wants it is somebody else's: none is ever replaced.
  return stands !== 'ok' && types.length > 0
    ? check('virtual-switch', 'fix', { name, types })
    : check('virtual-switch', stands, { name });
}

function card(on: Looked, { nics }: Windows): Check {
  if (hasUnknownCard(on)) return check('container-nic', 'note', {});
  const choice = chooseNic(on.node.containerNic, nics);
  return choice.mac === null ? check('container-nic', 'fix', choice) : check('container-nic', 'ok', choice);
}

/** A member's card was chosen, if ever, when it was added: which of the free ones it is is not for us to guess. */
function hasUnknownCard({ isMember, node }: Looked): boolean {
  return isMember && node.containerNic === undefined;
}

/** Two transparent networks need two cards, so another one is always in the way. */
function network(on: Looked, networks: readonly PodNetwork[] | null): Check {
  const { podCidr } = on;
  const { network: name } = on.policy;
  if (networks === null) return check('pod-network', 'unknown', { network: name });
  const other = networks.find((each) => !isOwn(each, on)) ?? null;
  if (other !== null) return check('pod-network', 'fix', { network: name, podCidr, other });
  if (networks.length > 0) return check('pod-network', 'ok', { network: name, podCidr: podCidr ?? '' });
  return hasUnknownCard(on)
    ? check('pod-network', 'fix', { network: name, podCidr: on.node.podCidr, other })
    : check('pod-network', 'will', { network: name });
}

function isOwn({ name, subnet, gateway }: PodNetwork, { podCidr, policy }: Looked): boolean {
  return name === policy.network && subnet === podCidr && gateway === podGateway(subnet);
}
