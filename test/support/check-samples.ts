/** One of each check at each of its verdicts: the compiler asks for a new one when a check or a verdict is added. */
import { type Check, type CheckFacts, type CheckId, check } from '../../src/plan/check.js';

const card = { name: 'Ethernet 2', mac: '00-15-5D-00-00-02' };
const cards = [card, { name: 'Ethernet 3', mac: '00-15-5D-00-00-03' }];
const processes = (executable: string): CheckFacts['kubelet'] => ({
  ok: { executable },
  will: { state: 'missing' },
  fix: { executable },
  note: { state: 'differs' },
});

const samples: CheckFacts = {
  address: { ok: { address: '10.0.0.7' }, fix: { address: '10.0.0.7' } },
  clock: { ok: {}, fix: { skew: -95, os: 'windows' } },
  disk: {
    ok: { free: 40e9 },
    note: { free: 6.2e9, image: 10.2e9 },
    fix: { free: 200e6, least: 1.02e9 },
  },
  forwarding: { ok: {}, will: {} },
  machine: { unknown: {} },
  windows: {
    ok: { product: 'Windows Server 2016 Datacenter', build: 14393 },
    fix: { product: 'Windows 10 Pro', build: 19045, oldest: 14393 },
  },
  administrator: { ok: {}, fix: {} },
  docker: { ok: { version: '1.12.2-cs2-ws-beta' }, fix: { version: '1.10.3', oldest: '1.12.2' } },
  'container-dns': { ok: {}, note: { from: '1.13' } },
  'container-nic': { ok: card, fix: { mac: null, why: 'several-free', has: cards }, note: {} },
  'routing-service': { ok: {}, will: {}, note: {}, fix: {}, unknown: {} },
  restart: { ok: {}, will: {}, note: {} },
  'pause-image': {
    ok: { image: 'apprenda/pause' },
    will: { image: 'apprenda/pause' },
    note: { image: 'apprenda/pause' },
    unknown: { image: 'apprenda/pause' },
  },
  'virtual-switch': {
    ok: { name: 'KubeProxySwitch' },
    will: { name: 'KubeProxySwitch' },
    note: { name: 'KubeProxySwitch' },
    fix: { name: 'KubeProxySwitch', types: ['External'] },
    unknown: { name: 'KubeProxySwitch' },
  },
  'pod-network': {
    ok: { network: 'transparent', podCidr: '192.168.3.0/24' },
    will: { network: 'transparent' },
    fix: {
      network: 'transparent',
      podCidr: '192.168.3.0/24',
      other: { name: 'lan', subnet: '172.16.0.0/16', gateway: '172.16.0.1' },
    },
    unknown: { network: 'transparent' },
  },
  'pod-gateway': { ok: {}, will: {} },
  'ip-helper': { ok: {}, fix: { isThere: true } },
  language: { ok: { isEnglish: true }, fix: { language: 2052 } },
  'kubernetes-flags': { note: { version: '1.9.11' } },
  'service-manager': { ok: {}, note: {} },
  permissions: { ok: {}, fix: { path: 'C:\\k', isFile: false }, unknown: { path: 'C:\\k' } },
  kubelet: processes('C:\\k\\kubelet.exe'),
  'kube-proxy': processes('C:\\k\\kube-proxy.exe'),
  privilege: { ok: { by: 'helper' }, fix: {} },
  iproute: {
    ok: { version: '6.1.0' },
    fix: { version: '4.11.0', oldest: '4.17' },
    unknown: {},
  },
  bridge: { ok: { bridge: 'cbr0' }, will: { bridge: 'cbr0' } },
  cni: { ok: {}, fix: { missing: ['bridge', 'loopback'] } },
  'forward-policy': { ok: {}, fix: { clusterCidr: '192.168.0.0/16' }, unknown: {} },
  'network-manager': { ok: {}, will: {}, fix: {}, note: { managers: ['NetworkManager', 'ifupdown'] } },
  persistence: { ok: {}, will: {}, note: {} },
  masquerade: { ok: {}, fix: { clusterCidr: '192.168.0.0/16' }, note: { why: 'no-kubelet' } },
};

/** What else some of them can know at one verdict. */
const variants: Check[] = [
  check('clock', 'fix', { skew: 95, os: 'linux' }),
  check('windows', 'fix', { product: 'Windows Server 2012 R2', build: 9600, oldest: 14393 }),
  check('docker', 'fix', { error: 'open //./pipe/docker_engine: not found' }),
  check('container-nic', 'fix', { mac: null, why: 'unknown', asked: '00-15-5D-00-00-09', has: cards }),
  check('container-nic', 'fix', {
    mac: null,
    why: 'busy',
    asked: card.mac,
    uses: ['it holds a default route'],
  }),
  check('container-nic', 'fix', { mac: null, why: 'none-free', has: [] }),
  check('virtual-switch', 'fix', { name: 'KubeProxySwitch', error: null }),
  check('virtual-switch', 'fix', { name: 'KubeProxySwitch', error: 'The service vmms is not running.' }),
  check('virtual-switch', 'fix', { name: 'KubeProxySwitch', types: ['Internal', 'Internal'] }),
  check('pod-network', 'fix', {
    network: 'transparent',
    podCidr: null,
    other: { name: 'lan', subnet: '172.16.0.0/16', gateway: '172.16.0.1' },
  }),
  check('pod-network', 'fix', { network: 'transparent', podCidr: '192.168.3.0/24', other: null }),
  check('ip-helper', 'fix', { isThere: false }),
  check('language', 'ok', { isEnglish: false }),
  check('permissions', 'fix', { path: 'C:\\k\\kubelet.exe', isFile: true }),
  check('kubelet', 'will', { state: 'stopped' }),
  check('kubelet', 'note', { state: 'missing' }),
  check('masquerade', 'note', { why: 'no-kubenet' }),
];

/** Each check at each verdict, once. */
export const EACH: readonly Check[] = Object.entries(samples).flatMap(([id, verdicts]) =>
  Object.entries(verdicts).map(([verdict, facts]) => check(id as CheckId, verdict as never, facts as never)),
);

export const SAMPLES: readonly Check[] = [...EACH, ...variants];
