/** What the checks of a Windows host say. Pure. */

import { podGateway } from '../ip.js';
import type { Component } from '../node/component.js';
import type { CheckFacts } from '../plan/check.js';
import { stands, type Texts } from './check-text.js';
import type { Voice } from './voice.js';

type WindowsId =
  | 'windows'
  | 'administrator'
  | 'docker'
  | 'container-dns'
  | 'container-nic'
  | 'routing-service'
  | 'restart'
  | 'pause-image'
  | 'virtual-switch'
  | 'pod-network'
  | 'pod-gateway'
  | 'ip-helper'
  | 'language'
  | 'kubernetes-flags'
  | 'service-manager'
  | 'permissions'
  | Component;

/** Those of administrators, with Win32-OpenSSH's own configuration (windows.md D7). */
const KEYS = 'C:\\ProgramData\\ssh\\administrators_authorized_keys';

export const windowsTexts: Texts<WindowsId> = {
  windows: {
    ok: ({ product, build }, { quote }) => `${quote(product)}, build ${build}.`,
    fix: ({ product, build, oldest }, { quote }) =>
      build < oldest
        ? `${quote(product)} is build ${build}; containers need ${oldest}, Windows Server 2016, or later. Install that.`
        : `${quote(product)} is no server edition. Install Windows Server 2016 or later.`,
  },
  administrator: {
    ok: () => 'The SSH account is an administrator.',
    // In the other order nobody can log in any more: sshd as it comes reads no key in an administrator's profile.
    fix: (_facts, { code }) =>
      `The SSH account is no administrator. First add its key to the file that sshd reads for administrators, and close that: ${code(`icacls ${KEYS} /inheritance:r /grant '*S-1-5-32-544:F' '*S-1-5-18:F'`)}. Then ${code('Add-LocalGroupMember -SID S-1-5-32-544 -Member <login>')}`,
  },
  docker: {
    ok: ({ version }, { quote }) => `Docker ${quote(version)}.`,
    fix: (facts, { code, quote }) =>
      'error' in facts
        ? `Docker does not answer (${quote(facts.error)}): ${code('Start-Service docker')}, or install it: ${code('dockerd --register-service')}`
        : `Docker ${quote(facts.version)} is older than ${facts.oldest}. Stop it, put a newer dockerd.exe in its place, then ${code('Start-Service docker')}`,
  },
  'container-dns': {
    ok: () => 'Docker gives containers a DNS server.',
    note: ({ from }) => `Containers find no names: DNS on Windows takes Docker ${from} or later.`,
  },
  'container-nic': {
    ok: ({ name, mac }, { quote }) => `Network card ${mac} (${quote(name)}) is for containers.`,
    fix: noCard,
    note: () => 'Which network card its containers have is not recorded, so their network is left alone.',
  },
  'routing-service': {
    ...stands(
      () => 'Routing and Remote Access routes.',
      () => 'Routing and Remote Access is not set up, which may take a restart',
    ),
    fix: (_facts, { code }) =>
      `Routing and Remote Access serves something else, such as a VPN: ${code('Uninstall-RemoteAccess')}, or set ${code('RRAS=skip')} for all nodes.`,
    unknown: (_facts, { code }) =>
      `Whether Windows has Routing and Remote Access is not to be seen: ${code('Get-WindowsFeature RemoteAccess, Routing')} says.`,
  },
  restart: {
    ok: () => 'It waits for no restart.',
    will: () => 'Windows waits for a restart, which somebody has to agree to',
    note: (_facts, { code }) => `Windows waits for a restart: ${code('Restart-Computer')}`,
  },
  'pause-image': {
    ...stands<{ image: string }>(
      ({ image }, { code }) => `Docker has ${code(image)}.`,
      ({ image }, { code }) => `Docker lacks ${code(image)}`,
    ),
    unknown: ({ image }, { code }) => `Whether docker has ${code(image)} shows once docker answers.`,
  },
  'virtual-switch': {
    ...stands<{ name: string }>(
      ({ name }, { code }) => `The virtual switch ${code(name)} is there.`,
      ({ name }, { code }) => `There is no virtual switch ${code(name)}`,
    ),
    fix: noSwitch,
    unknown: ({ name }, { code }) =>
      `Whether there is a virtual switch ${code(name)} is told to administrators only.`,
  },
  'pod-network': {
    ok: ({ network, podCidr }, { code }) => `Docker's network ${code(network)} has ${podCidr}.`,
    will: ({ network }, { code }) => `Docker has no network ${code(network)}`,
    fix: noNetwork,
    unknown: ({ network }, { code }) =>
      `Whether there is a network ${code(network)} shows once docker answers.`,
  },
  'pod-gateway': { ok: () => 'The pod gateway is up.', will: () => 'The pod gateway is not up' },
  'ip-helper': {
    ok: () => 'The IP Helper service runs.',
    fix: ({ isThere }, { code }) =>
      isThere
        ? `The IP Helper service is off, and no service address would answer: ${code('Set-Service iphlpsvc -StartupType Automatic; Start-Service iphlpsvc')}`
        : 'There is no IP Helper service, so no service address would answer. Use an image of Windows that has it.',
  },
  language: {
    ok: ({ isEnglish }) =>
      isEnglish ? 'Windows is in English.' : 'Windows is not in English, which this kube-proxy takes.',
    fix: ({ language }, { code }) =>
      `Windows is not in English, and kube-proxy before 1.9 hangs: ${code('(Get-CimInstance Win32_OperatingSystem).OSLanguage')} is ${language}, not 1033. Install an English Windows, or a newer kube-proxy.`,
  },
  'kubernetes-flags': {
    note: ({ version }) =>
      `Kubernetes ${version} takes other flags than the guide's: install kubelet and kube-proxy yourself.`,
  },
  'service-manager': {
    ok: () => 'nssm keeps kubelet and kube-proxy running.',
    note: (_facts, { code }) =>
      `${code('nssm.exe')} is not on the path, so scheduled tasks keep kubelet and kube-proxy running.`,
  },
  permissions: {
    ok: () => 'What runs as the system is for administrators alone to change.',
    fix: ({ path, isFile }, { code, quote }) =>
      `Whoever can log in may change ${quote(path)}, which runs as the system: ${code(isFile ? `icacls ${literal(path)} /reset` : `icacls ${literal(path)} /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-32-545:(OI)(CI)RX'`)}`,
    unknown: ({ path }, { code, quote }) =>
      `Who may change ${quote(path)} is not to be seen: ${code(`icacls ${literal(path)}`)} says.`,
  },
  kubelet: processTexts('kubelet', 'WINDOWS_KUBELET'),
  'kube-proxy': processTexts('kube-proxy', 'WINDOWS_KUBE_PROXY'),
};

/** As PowerShell takes a text by the letter. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function processTexts(component: Component, setting: string): Texts<Component>[Component] {
  const states = {
    missing: `${component} is not set up`,
    differs: `${component} runs with other settings than its node's`,
    stopped: `${component} does not run, or not after a boot`,
  };
  return {
    ok: ({ executable }, { code }) => `${component} runs from ${code(executable)}.`,
    will: ({ state }) => states[state],
    fix: ({ executable }, { code }) =>
      `${code(executable)} is not there: copy ${component} to it, or set ${code(setting)} to where it lies.`,
    note: ({ state }) =>
      state === 'missing' ? `${states[state]}.` : `${states[state]}: it is left as it is.`,
  };
}

function noCard(choice: CheckFacts['container-nic']['fix'], { code, quote }: Voice): string {
  const named = code('container-nic <mac>');
  const cards = 'has' in choice ? choice.has.map(({ name, mac }) => `${mac} (${quote(name)})`) : [];
  const has = `It has ${cards.length === 0 ? 'none' : cards.join(', ')}.`;
  switch (choice.why) {
    case 'unknown':
      return `There is no network card ${choice.asked}. ${has} Name one by ${named}.`;
    case 'busy':
      return `Network card ${choice.asked} can't be for containers: ${quote(choice.uses.join('; '))}. Name another by ${named}.`;
    case 'none-free':
      return `Containers need a second network card, without the node's address, the SSH session or a default route. ${has}`;
    case 'several-free':
      return `Several network cards are free: ${cards.join(', ')}. Add the node with ${named}.`;
  }
}

function noSwitch(facts: CheckFacts['virtual-switch']['fix'], { code, quote }: Voice): string {
  if ('error' in facts)
    return facts.error === null
      ? `Hyper-V's cmdlets are missing: ${code('Install-WindowsFeature Hyper-V-PowerShell')}`
      : `Hyper-V does not answer (${quote(facts.error)}). Start its service if ${code('Get-Service vmms')} finds one; if not, ${code('Install-WindowsFeature Hyper-V -IncludeManagementTools')} and restart Windows.`;
  const { name, types } = facts;
  return types.length > 1
    ? `${types.length} virtual switches are called ${code(name)}. Remove all but the internal one: ${code(`Get-VMSwitch ${name} | Remove-VMSwitch -Confirm`)}`
    : `The virtual switch ${code(name)} is ${quote(types.join())}, not Internal: ${code(`Rename-VMSwitch ${name} -NewName ${name}-old`)}`;
}

function noNetwork(facts: CheckFacts['pod-network']['fix'], { code, quote }: Voice): string {
  const { network, podCidr, other } = facts;
  // With another gateway, or none, the network would not be the node's own.
  if (other === null)
    return `Docker has no network ${code(network)}. Make it on the network card that its containers had: ${code(`docker network create -d transparent --subnet ${podCidr} --gateway ${podGateway(podCidr)} -o com.docker.network.windowsshim.interface="<card>" ${network}`)}`;
  const wanted = podCidr === null ? '' : `, not ${network} with ${podCidr} and ${podGateway(podCidr)}`;
  return `Docker has the transparent network ${quote(other.name)} with ${other.subnet} and the gateway ${other.gateway}${wanted}: ${code(`docker network rm ${other.name}`)}`;
}
