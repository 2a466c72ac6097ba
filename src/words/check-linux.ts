/** What the checks of a Linux host say. Pure. */
import type { Texts } from './check-text.js';
import { list } from './phrase.js';

type LinuxId =
  | 'privilege'
  | 'iproute'
  | 'bridge'
  | 'cni'
  | 'forward-policy'
  | 'network-manager'
  | 'persistence'
  | 'masquerade';

const BY = {
  root: 'as root',
  helper: 'by its root helper',
  sudo: 'by sudo',
  none: 'by nothing',
} as const;

const BY_HAND = 'docs/linux-host.md has what to paste there as root, once.';

export const linuxTexts: Texts<LinuxId> = {
  privilege: {
    ok: ({ by }) => `Changes are made ${BY[by]}.`,
    fix: () => `The SSH account may change nothing: ${BY_HAND}`,
  },
  iproute: {
    ok: ({ version }, { quote }) => `iproute2 ${quote(version)}.`,
    fix: ({ version, oldest }, { quote }) =>
      `iproute2 ${quote(version)} is older than ${oldest}. Install a newer one.`,
    unknown: (_facts, { code }) =>
      `Which iproute2 it has is not to be seen: ${code('ip -j route')} has to answer in JSON.`,
  },
  bridge: {
    ok: ({ bridge }, { code }) => `${code(bridge)} holds the pod gateway.`,
    will: ({ bridge }, { code }) => `${code(bridge)} does not hold the pod gateway`,
  },
  cni: {
    ok: () => 'The CNI plugins for kubenet are there.',
    fix: ({ missing }, { code }) =>
      `${code('/opt/cni/bin')} lacks ${list(missing)}: ${code('tar xzf cni-plugins-linux-amd64-<version>.tgz -C /opt/cni/bin')}`,
  },
  'forward-policy': {
    ok: () => 'iptables lets forwarded packets of pods pass.',
    // May be run again, as after each boot.
    fix: ({ clusterCidr }, { code }) =>
      `iptables drops forwarded packets of pods: ${code(`for end in -s -d; do iptables -C FORWARD $end ${clusterCidr} -j ACCEPT 2>/dev/null || iptables -I FORWARD $end ${clusterCidr} -j ACCEPT; done`)}. A boot takes that back, unless this host's own firewall settings have it too.`,
    unknown: (_facts, { code }) =>
      `What iptables does with forwarded packets takes root to read, or sudo: ${code('iptables -w -S FORWARD')}`,
  },
  'network-manager': {
    ok: () => 'Nothing there removes routes of others.',
    will: () => 'systemd-networkd removes the routes when it starts anew',
    fix: (_facts, { code }) =>
      `systemd-networkd removes the routes when it starts anew: ${code('ManageForeignRoutes=no')} below ${code('[Network]')} in ${code('/etc/systemd/networkd.conf.d/fairway.conf')}`,
    note: ({ managers }, { code }) =>
      `${list(managers)} may drop routes when a connection comes up again; then ${code('repair')} brings them back.`,
  },
  persistence: {
    ok: () => 'Its routes come back at boot.',
    will: () => 'Its routes do not come back at boot',
    note: () => `Its routes do not come back at boot: ${BY_HAND}`,
  },
  masquerade: {
    ok: () => "The kubelet leaves pods' addresses alone within the cluster.",
    fix: ({ clusterCidr }, { code }) =>
      `The kubelet hides pods behind the node's address: start it with ${code(`--non-masquerade-cidr=${clusterCidr}`)}`,
    note: ({ why }, { code }) =>
      why === 'no-kubelet'
        ? `No kubelet runs. It is to have ${code('--network-plugin=kubenet')} and ${code('--non-masquerade-cidr')}.`
        : `The kubelet does not use kubenet: what it uses has to leave pods' addresses alone within the cluster.`,
  },
};
