/** Every expected no, as the user reads it: each says what would work. Pure. */
import type { BuildLack, ListProblem, Refusal, RefusalCode, RefusalFacts } from '../errors.js';
import { anyOf, article, gib, list, osName, plural } from './phrase.js';
import { slackVoice, type Voice } from './voice.js';

type Texts = { [C in RefusalCode]: (facts: RefusalFacts[C], say: Voice) => string };

/** What the user is told for each refusal. */
export const refusalText: Texts = {
  'unknown-command': ({ said, suggestion, usage }, { code }) => {
    if (suggestion !== undefined) return `I don't know ${code(said)}. Did you mean ${code(suggestion)}?`;
    return `I don't know ${code(said)}. ${usage === undefined ? `${code('help')} lists what I do.` : `Usage: ${code(usage)}`}`;
  },
  'extra-word': ({ word, usage }, { code }) =>
    `${code(word)} is more than this command takes. Usage: ${code(usage)}`,
  'bad-argument': ({ argument, got, takes, example, usage }, { code }) => {
    const wrong =
      got === '' ? `${code(`<${argument}>`)} is missing` : `${code(`<${argument}>`)} can't be ${code(got)}`;
    const such = example === undefined ? '' : `, such as ${code(example)}`;
    return `${wrong}: it takes ${takes}${such}.${usage === undefined ? '' : ` Usage: ${code(usage)}`}`;
  },
  'windows-only': ({ option, instead }, { code }) =>
    `${code(option)} is for Windows nodes: on Linux the pods hang on a bridge that I make. Ask ${code(instead)}.`,
  forbidden: ({ doing, role, who, unreadable }, say) =>
    [
      `Only ${article(role)} may ${doing}.`,
      who.length > 0
        ? `Ask ${anyOf(who.map(say.who))}.`
        : `Nobody is one: an administrator sets ${say.code(`${role.toUpperCase()}S`)}.`,
      unreadable.length > 0
        ? `I can't read the members of ${list(unreadable.map(say.who))} just now, so I can't tell whether you are one; try again in a minute.`
        : '',
    ]
      .filter((part) => part !== '')
      .join(' '),

  'node-exists': ({ name, address, podCidr, changeId }, { code }) =>
    changeId === undefined
      ? `${code(name)} is a node already, at ${address} with ${podCidr}. ${code(`node ${name}`)} shows it; ${code(`remove node ${name}`)} comes before adding it anew.`
      : `${code(name)} (${address}, ${podCidr}) is being added by ${code(changeId)} already. ${code(`change ${changeId}`)} shows it; ${code(`cancel ${changeId}`)} frees the name.`,
  'node-unknown': ({ name, suggestion }, { code }) =>
    suggestion === undefined
      ? `There is no node ${code(name)}. ${code('nodes')} lists them.`
      : `There is no node ${code(name)}. Did you mean ${code(suggestion)}?`,
  'node-still-owed': ({ name, podCidr, peers, changeId }, { code }) => {
    const repair = code(`repair ${peers[0] ?? ''}`);
    const ask = changeId === undefined ? repair : `${code(`retry ${changeId}`)}, or ${repair}`;
    return `${code(name)} was removed, but ${list(peers.map(code))} may still have its route to ${podCidr}. It can come back once ${peers.length === 1 ? 'that has' : 'those have'} answered: ${ask} asks.`;
  },
  'node-leaving': ({ name, changeId }, { code }) =>
    `${code(name)} is still being removed by ${code(changeId)}. It can come back once that is through: ${code(`change ${changeId}`)} shows it, ${code(`cancel ${changeId}`)} gives up what is left of it.`,
  'address-taken': ({ address, holder, changeId }, { code }) =>
    `${address} is the address of ${code(holder)}${changeId === undefined ? '' : ` (${code(changeId)})`} already. Every node needs its own.`,
  'address-in-pod-cidr': ({ address, podCidr, holder }, { code }) =>
    `${address} lies in ${podCidr}, where the pods of ${code(holder)} are. Give the node's routable address, outside every pod CIDR.`,
  'address-unusable': ({ address, because }) =>
    `${address} can't be a node's address: ${because}. Give the node's routable address.`,

  'pod-cidr-outside': ({ podCidr, clusterCidr, apiNode }, say) =>
    `${podCidr} is not in the cluster's ${clusterCidr}. ${another(apiNode, say)}`,
  'pod-cidr-size': ({ podCidr, prefixLength, apiNode }, say) =>
    `${podCidr} has the wrong size: nodes of this cluster get a /${prefixLength}.${apiNode === undefined ? '' : ` ${another(apiNode, say)}`}`,
  'pod-cidr-differs': ({ name, podCidr, there }, { code }) =>
    `The API server has ${there} for ${code(name)}, not ${podCidr}, and never changes that. Leave ${code('pod-cidr')} out and I take ${there}; or ${code(`kubectl delete node ${name}`)} first, and ask again.`,
  'pod-cidr-held': ({ podCidr, holder, changeId, restsUntil, owing, there, apiNode }, say) => {
    const { code, when } = say;
    if (there) return `${podCidr} is what the API server has for ${code(holder)}. ${another(apiNode, say)}`;
    if (owing !== undefined && owing.length > 0) {
      return `${podCidr} was ${code(holder)}'s, and ${list(owing.map(code))} may still route it. It is free once they have answered${restsUntil === undefined ? '' : `, not before ${when(restsUntil)}`}.`;
    }
    if (restsUntil !== undefined)
      return `${podCidr} was ${code(holder)}'s and rests until ${when(restsUntil)}. ${another(apiNode, say)}`;
    return `${podCidr} is held by ${code(holder)}${changeId === undefined ? '' : ` (${code(changeId)})`}. ${another(apiNode, say)}`;
  },
  'pod-cidr-overlaps': ({ podCidr, overlap, with: other, owner, isLast, apiNode }, say) => {
    const { code } = say;
    const what = {
      'service-cidr': `the service CIDR ${other}`,
      reserved: `the reserved ${other}`,
      'node-address': `${other}, the address of ${owner === undefined ? 'a node' : code(owner)}`,
      'host-route': `${other}, which ${owner === undefined ? 'a host' : code(owner)} routes already`,
    }[overlap];
    if (isLast && apiNode === undefined)
      return `${podCidr} overlaps ${what}, and no other is free. If nothing needs that route, remove it there and ask again.`;
    return `${podCidr} overlaps ${what}. ${another(apiNode, say)}`;
  },
  'slices-routed': ({ clusterCidr, free, host, destination, hosts }, { code }) =>
    [
      free === 1
        ? `The one free pod CIDR of ${clusterCidr} is routed elsewhere`
        : `All ${free} free pod CIDRs of ${clusterCidr} are routed elsewhere`,
      `: ${code(host)} has a route to ${destination}`,
      hosts > 1
        ? `, and ${plural(hosts - 1, 'other host')} ${hosts === 2 ? 'has' : 'have'} such routes too`
        : '',
      `. If nothing needs ${hosts > 1 ? 'them, remove them' : 'it, remove it'} there, then ask again.`,
    ].join(''),
  'cluster-full': ({ clusterCidr, slices, resting, soonestFreeAt }, { code, when }) =>
    [
      `${clusterCidr} is full: ${slices === 1 ? 'its one slice is' : `all ${slices} slices are`} taken, reserved or resting.`,
      resting === 0
        ? `None is resting; ${code('remove node <name>')} frees one after its rest.`
        : `${resting === 1 ? '1 is' : `${resting} are`} resting${soonestFreeAt === undefined ? ', and still routed by hosts that have not answered' : `; the next is free at ${when(soonestFreeAt)}`}.`,
    ].join(' '),

  'node-unreadable': ({ name, address, why }, { code, quote }) =>
    `I can't read ${code(name)} at ${address}${because(why, quote)}. When ${code(`ssh ${name}`)} works from my machine, ask again.`,
  'other-os': ({ name, address, os }, { code }) => {
    const other = os === 'linux' ? 'windows' : 'linux';
    return `${code(name)} answers as a ${osName(other)} host, not as a ${osName(os)} one. If it is one, ask ${code(`add ${other} node ${name} ${address}`)}; if not, check that ${code(`ssh ${name}`)} leads to the right machine.`;
  },
  'address-not-there': ({ name, address }, { code }) =>
    `${code(name)} answers, but none of its network cards holds ${address}. Check the address, or that SSH leads to the right machine.`,
  'not-on-link': ({ from, to, address }, { code }) =>
    `${code(from)} is on no subnet with ${address} (${code(to)}), so a plain route can't lead there. Give both an address on one subnet.`,
  'node-not-ready': ({ name, os, address, ssh, count }, { code }) =>
    `${code(name)} is not ready to be a node: ${count === 1 ? 'one thing has' : `${count} things have`} to be put right on it first. ${code(`check ${os} host ${address}${ssh === undefined ? '' : ` ssh ${ssh}`}`)} looks again; then ask again.`,

  'nothing-to-repair': nothingToRepair,
  'list-missing': (_facts, { code }) =>
    `The list of nodes goes into a form, which ${code('/fairway adopt')} opens; in a shell: ${code('npm run console -- adopt < nodes.yaml')}. ${code('export')} shows how one looks.`,
  'list-too-long': ({ most }, { code }) =>
    `That is too long for a list of nodes: at most ${most} characters. Adopt the nodes in parts; ${code('export')} shows how a list looks.`,
  'list-broken': ({ line, got, why }, { code, quote }) =>
    why === undefined
      ? `Line ${line}: ${code(got ?? '')} has no place there. A list has plain keys and values, as ${code('export')} gives them.`
      : `Line ${line} is no YAML that I can read: ${quote(why)}. ${code('export')} shows how a list looks.`,
  'list-wrong': ({ problems, more }, say) =>
    [
      ...problems.map((problem) => sayListProblem(problem, say)),
      ...(more > 0 ? [`… and ${plural(more, 'more problem')}. Put these right first.`] : []),
    ].join('\n'),
  'nothing-to-adopt': ({ unchanged, leftOut }, { code }) =>
    leftOut === 0
      ? `Nothing to adopt: ${unchanged === 1 ? 'that is a node' : `all ${unchanged} are nodes`} already, with these facts. ${code('nodes')} lists them.`
      : `Nothing that I can adopt: ${leftOut === 1 ? 'one node was' : `${leftOut} nodes were`} left out. Put right what is said below, then ask again.`,
  'no-build-host': (_facts, { code }) =>
    `There is no host to build on: an administrator sets ${code('BUILD_HOST')} to one that ${code('ssh')} reaches, with git, Go and make.`,
  'not-built': ({ component, version }, { code }) =>
    `${code(`${component} ${version}`)} was not built yet. ${code(`build ${component} ${version}`)} comes first; ${code('builds')} lists what there is.`,
  'no-windows-node': (_facts, { code }) =>
    `There is no Windows node to deliver to. ${code('add windows node <name> <address>')} adds one.`,
  'not-windows': ({ name }, { code }) =>
    `${code(name)} is a Linux node, and what is built is for Windows. ${code('nodes')} lists them.`,
  'build-host-unreadable': ({ host, why }, { code, quote }) =>
    `I can't reach ${code(host)}${because(why, quote)}. When ${code('ssh')} to it works from my machine, ask again.`,
  'build-host-unfit': ({ host, lacks }, { code }) =>
    `${code(host)} can't build: ${list(lacks.map((lack) => sayLack(lack, code)))}. Put that right there, then ask again.`,
  'tag-unknown': ({ version, source, why }, { code, quote }) =>
    `git finds no tag ${code(version)} at ${code(source)}${because(why, quote)}. Check both; ${code('from <source>')} names another place.`,
  'manifest-missing': (_facts, { code }) =>
    `There is nothing to check. Paste the manifest under ${code('@Fairway check manifest')}, or attach it as a file; in a shell: ${code('npm run console -- check manifest < pod.yaml')}.`,
  'manifest-too-long': ({ most }) =>
    `That is too much for one check: at most ${Math.floor(most / 1024)} KB, some 4000 lines. Check it in parts.`,
  'manifest-broken': ({ line, got, why, first }, { code, quote }) => {
    if (first !== undefined)
      return `Line ${line}, ${code(got ?? '')}: it stands on line ${first} already, and ${code('kubectl')} takes it once only. Keep one.`;
    return why === undefined
      ? `Line ${line}: ${code(got ?? '')} is more than I read of a manifest. Write it plainly, or check it in parts.`
      : `Line ${line} is no YAML that I can read: ${quote(why)}. Put it right, then ask again.`;
  },
  'manifest-other': ({ line }, { code }) =>
    `Line ${line} begins no object of Kubernetes: it has no ${code('kind')}. Give me what ${code('kubectl apply -f')} takes.`,
  'file-unreadable': ({ name, why }, { code, quote }) =>
    `I can't read ${name === '' ? 'the files of this thread' : `the file ${code(name)}`}: ${quote(why)}. Paste it under ${code('@Fairway check manifest')}, or have an administrator give me ${code('files:read')}.`,
  'file-too-big': ({ name, most }, { code }) =>
    `The file ${code(name)} is too big: at most ${Math.floor(most / 1024)} KB. Check it in parts.`,
  'change-in-the-way': inTheWay,
  'incident-unknown': ({ id }, { code }) =>
    `There is no incident ${code(id)}, or it is over. ${code('incidents')} lists them.`,
  'change-unknown': ({ id }, { code }) => `There is no change ${code(id)}. ${code('changes')} lists them.`,
  'change-not-sealed': ({ id }, { code }) =>
    `${code(id)} is still being planned: its hosts are being read. Decide when its card shows the plan.`,
  'change-not-pending': ({ id, state, by, at, command }, { code, who, when }) => {
    const since = `${by === '' ? '' : ` by ${who(by)}`}${at === '' ? '' : ` since ${when(at)}`}`;
    const next = state === 'stale' ? `To ask again: ${code(command)}` : `${code(`change ${id}`)} shows it`;
    return `${code(id)} is ${state}${since}, so there is nothing left to decide. ${next}.`;
  },
  'change-expired': ({ id, command }, { code }) =>
    `${code(id)} expired: nobody decided in time. To ask again: ${code(command)}.`,
  'plan-outdated': ({ id }, { code }) =>
    `That card shows an older plan of ${code(id)}. ${code(`change ${id}`)} shows the one that stands.`,
  'own-request': ({ id }, { code }) =>
    `${code(id)} is your own request, so somebody else has to approve it. ${code(`cancel ${id}`)} withdraws it.`,
  'already-decided-by-you': ({ id }, { code }) =>
    `You have decided on ${code(id)} already; it waits for somebody else.`,
  'nothing-asked': ({ id }, { code }) =>
    `${code(id)} asks nothing now: somebody answered already, or it went on. ${code(`change ${id}`)} shows how it stands.`,
  'not-cancellable': ({ id, state }, { code }) =>
    `${code(id)} is ${state}: nothing is left to cancel. ${code(`change ${id}`)} shows it.`,
  'not-retryable': ({ id, state }, { code }) =>
    `${code(id)} is ${state}: there is nothing to retry. ${code(`change ${id}`)} shows it.`,
  'not-rollbackable': ({ id, state }, { code }) =>
    `${code(id)} is ${state}: there is nothing to roll back. ${code(`change ${id}`)} shows it.`,
  'joined-since': ({ id, name, joined }, { code }) =>
    `${code(id)} can't be rolled back: ${list(joined.map(code))} joined after ${code(name)} left, so its plan doesn't lead there. Add ${code(name)} again: the new plan covers all.`,
  'node-replaced': ({ id, name, podCidr }, { code }) =>
    `${code(id)} can't be rolled back: the name, the address or the ${podCidr} of ${code(name)} is in use again. ${code('nodes')} shows by whom.`,
  'built-on': ({ id, by }, { code }) =>
    `${code(id)} can't be rolled back: ${list(by.map(code))} came after it, and counted on its nodes. ${code('remove node <name>')} takes them out one by one.`,
};

/** How to come by another slice than the one that can't be given. */
function another(apiNode: string | undefined, { code }: Voice): string {
  return apiNode === undefined
    ? `Leave ${code('pod-cidr')} out and I pick a free one.`
    : `The API server has it for ${code(apiNode)}, and never changes that: ${code(`kubectl delete node ${apiNode}`)}, then ask again.`;
}

const STANDS: Readonly<Record<string, string>> = {
  planning: 'is being planned',
  pending: 'waits for approval',
  owing: 'is done but for hosts that did not answer',
  'rolling-back': 'is being rolled back',
};

const DOES: Readonly<Record<string, string>> = { 'remove-node': 'removes', 'add-node': 'adds' };

/** What the open change does, how far it is, who asked for it, and what makes room for the next. */
function inTheWay(
  { id, name, kind, state, requester }: RefusalFacts['change-in-the-way'],
  { code, who }: Voice,
): string {
  const doing = DOES[kind] ?? 'does';
  const head = `${code(id)}, asked for by ${who(requester)}, ${doing} ${code(name)} and ${STANDS[state] ?? 'is running'}.`;
  return `${head} ${remedy(id, kind, state, code)}`;
}

function remedy(id: string, kind: string, state: string, code: Voice['code']): string {
  const wait = `Wait for its end (${code(`change ${id}`)}), then ask again.`;
  switch (state) {
    case 'planning':
    case 'pending':
      return `${code(`cancel ${id}`)} withdraws it; then ask again.`;
    case 'approved':
    case 'applying':
      return `${wait} ${code(`cancel ${id}`)} stops it at the next host.`;
    case 'owing':
      return kind === 'remove-node'
        ? 'They forget it by themselves when they are back: nothing is left to ask for.'
        : `${code(`rollback ${id}`)} undoes it; ${code(`cancel ${id}`)} gives up what they are owed, then ask again.`;
    default:
      return wait;
  }
}

/** One thing that a build host lacks. */
export function sayLack(lack: BuildLack, code: Voice['code']): string {
  switch (lack.what) {
    case 'disk-unknown':
      return 'how much room its disk has is not to be read';
    case 'disk':
      return `it has ${gib(lack.freeBytes)} of disk free, and a build takes ${gib(lack.needsBytes)}`;
    case 'go-old':
      return `its Go is ${code(lack.has)}, and ${code(lack.needs)} is the oldest that works`;
    case 'go-new':
      return `its Go is ${code(lack.has)}, which the makefile of ${code(lack.version)} takes for an old one: put Go ${lack.newest} first on its PATH, or set ${code('BUILD_WITH=go')}`;
    default:
      return `it has no ${code(lack.what)}`;
  }
}

/** A host's own word in the middle of ours, whose full stop is not doubled. */
function because(why: string, quote: Voice['quote']): string {
  return why === '' ? '' : `: ${quote(why).replace(/\.$/, '')}`;
}

/** One problem of a list, as a line of its own. */
function sayListProblem(problem: ListProblem, { code }: Voice): string {
  if (problem.key === '')
    return `Line ${problem.line}: this is no list of nodes. ${code('export')} shows how one looks.`;
  const at = `Line ${problem.line}, ${code(problem.key)}`;
  switch (problem.what) {
    case 'missing':
      return `${at}: it is missing, so add it.`;
    case 'form':
      return `${at}: it has another form than ${code('export')} gives it.`;
    case 'unknown':
      return `${at}: there is no such key. There ${problem.known.length === 1 ? 'is' : 'are'} ${list(problem.known)}.`;
    case 'twice':
      return `${at}: it stands on line ${problem.first} already.`;
    case 'takes':
      return `${at} can't be ${code(problem.got)}: it takes ${problem.takes}.`;
    case 'shared':
      return `${at}: ${code(problem.got)} is on line ${problem.first} too.`;
    case 'differs':
      return `${at}: this is a list of ${code(problem.got)}, and I run ${code(problem.ours)}.`;
  }
}

function nothingToRepair(
  { name, read, unread, foreign }: RefusalFacts['nothing-to-repair'],
  { code, quote }: Voice,
): string {
  if (read + unread.length === 0) return `There is no node yet, so there is nothing to repair.`;
  const whose = name === undefined ? '' : ` for ${code(name)}`;
  const fine = `${plural(read, 'host')} ${read === 1 ? 'holds' : 'hold'} what the inventory says`;
  const what = read === 0 ? `Nothing that I can repair${whose}.` : `Nothing to repair${whose}: ${fine}.`;
  const them = foreign.length === 1 ? 'it' : 'them';
  const blocked = foreign.map((route) => `${code(route.host)} has ${route.destination}`);
  const [first] = unread;
  return [
    foreign.length === 0
      ? what
      : `Nothing that I may repair${whose}: ${list(blocked)} in the way, and not from me. Remove ${them} there, then ask again.`,
    ...(first
      ? [
          `I can't read ${list(unread.map((host) => code(host.host)))}${because(first.why, quote)}. When ${code(`ssh ${first.host}`)} works from my machine, ask again.`,
        ]
      : []),
  ].join(' ');
}

/** A refusal as the user reads it. */
export function sayRefusal<C extends RefusalCode>(refusal: Refusal<C>, voice: Voice = slackVoice): string {
  return refusalText[refusal.code](refusal.facts, voice);
}
