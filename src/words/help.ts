/** What the help says, and who may do what. Pure. */
import type { CommandKind } from '../command/command.js';
import { article } from './phrase.js';

/** What each command does, in the help. */
export const commandWords: Readonly<Record<CommandKind, string>> = {
  'add-node':
    'Plans a new node: its pod CIDR, its pod network, and a route on every host. An approver decides.',
  'remove-node': 'Plans the reverse. The pod CIDR rests before another node gets it.',
  nodes: 'Lists the nodes with their addresses and pod CIDRs.',
  map: 'Shows who has which part of the cluster CIDR: what is in use, resting, reserved and free.',
  node: 'Shows one node, what it is owed and what it waits for.',
  'check-node': 'Reads a node and says of each thing that it needs: there, missing, or for you to put right.',
  'check-host': 'Does that for a host that is no node yet. Nothing is changed.',
  routes: 'Reads the route tables, of one host or of all, and compares them with what they should be.',
  repair: 'Plans what puts a host, or all, right again: lost routes, and what a boot took.',
  adopt: 'Opens a form for a list of nodes that exist already, or of a lost inventory.',
  export: 'Gives the nodes as YAML, which `adopt` takes back.',
  'check-manifest':
    "Says on which lines a manifest asks for what Windows pods can't do: pasted below, a file here, or in a form.",
  'check-cluster': 'Asks the API server how it is, and compares its nodes with ours.',
  'control-plane': 'Shows the flags that control plane, kubelets and kube-proxies need.',
  kubectl: 'Shows the kubectl lines for a node.',
  build: 'Plans to build one for Windows, on the build host.',
  builds: 'Lists what was built.',
  deliver: 'Plans to bring it to Windows nodes, and to run it there.',
  incidents: 'Lists what is wrong with hosts now, who is on it, what is muted, and what is over.',
  ack: 'Says on the card that you are on it.',
  mute: 'Keeps quiet about a node, or one of its processes; two hours when nothing else is said.',
  unmute: 'Ends that.',
  logs: 'Shows the last log lines of kubelet or kube-proxy.',
  control: 'Starts, stops or restarts kubelet or kube-proxy, at once. Stopped, it stays so without a word.',
  changes: 'Lists the open changes, the oldest first, then the newest others.',
  change: 'Shows a change and where it stands.',
  approve: 'Approves the plan that stands, and its way back. Not your own, as a rule.',
  deny: 'Denies a plan; the reason goes to whoever asked.',
  confirm: 'Says yes to what a change asks on its way, such as a restart.',
  decline: 'Says no to that.',
  cancel: 'Withdraws a plan, or stops a running change at the next host.',
  retry: 'Runs again what is not done.',
  rollback: 'Undoes a change by the way back that was approved with it.',
  history: 'Lists who did what, the newest first: to one node, also one that has left, or to all.',
  audit: 'Checks that nobody changed the record of all that was done, or gives the whole of it as a file.',
  help: 'Lists what you may do, or explains a command.',
  whoami: 'Shows your id, your roles and what they let you do.',
  'can-i': 'Says whether you may run a command, and who may.',
};

/** What may be done, as in "Only an operator may …". */
export const actionWords = {
  introduce: 'ask for help and for your own roles',
  look: 'look at nodes, routes, changes, incidents and history, and check manifests',
  request: 'ask for changes, cancel, retry and roll them back, check hosts, read logs and mute',
  decide: 'approve and deny',
  control: 'start, stop and restart kubelet and kube-proxy',
  audit: 'check and export the audit log',
} as const;

export const helpWords = {
  head: 'What you may type, after /fairway or @Fairway:',
  foot: '`help <command>` explains one.',
  none: 'No role lets you do more: `whoami` shows what you need to ask an administrator for.',
  notYours: (role: string) => `That is for ${article(role)}. \`can-i\` says who is one.`,
  argument: (name: string, takes: string, example: string) => `<${name}> takes ${takes}, such as ${example}`,
};
