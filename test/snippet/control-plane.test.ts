import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import type { Node } from '../../src/node/node.js';
import { controlPlaneSnippets } from '../../src/snippet/control-plane.js';
import { CONTROL_PLANE } from '../support/control-plane.js';

const nodes = (count: number): Node[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `lin${i}`,
    os: 'linux' as const,
    address: `10.0.0.${i}`,
    podCidr: `192.168.${i}.0/24`,
  }));

/** The lines that are no comments, by the start of their title. */
function flagsOf(title: string, kubernetesVersion = '1.5'): string[] {
  const found = controlPlaneSnippets({ ...CONTROL_PLANE, kubernetesVersion }, []).find((each) =>
    each.title.startsWith(title),
  );
  return found?.code.split('\n').filter((line) => !line.startsWith('#')) ?? [];
}

describe('by version', () => {
  test.each([
    ['1.5', ['--network-plugin=kubenet', '--non-masquerade-cidr=192.168.0.0/16']],
    ['1.23.17', ['--network-plugin=kubenet', '--non-masquerade-cidr=192.168.0.0/16']],
    ['1.24', []],
    ['1.31.2', []],
  ])('a Linux kubelet %s has kubenet, and no masquerade among pods, or neither flag', (version, flags) => {
    const found = flagsOf('kubelet on each Linux', version).filter((flag) =>
      /network-plugin|masquerade/.test(flag),
    );
    expect(found).toEqual(flags);
  });

  test('what takes the place of a flag that is gone is said', () => {
    const of = (kubernetesVersion: string) =>
      controlPlaneSnippets({ ...CONTROL_PLANE, kubernetesVersion }, []).find(({ title }) =>
        title.includes('Linux'),
      )?.code;
    expect(of('1.24')).toContain('ipMasq false');
    expect(of('1.5')).toContain("outside 10.0.0.0/8 leave with the node's address");
  });

  test.each([
    ['1.5', '--api-servers=http://10.0.0.1:8080', '--master=http://10.0.0.1:8080'],
    ['1.7.16', '--api-servers=http://10.0.0.1:8080', '--master=http://10.0.0.1:8080'],
    ['1.8', '--kubeconfig=<file>', '--kubeconfig=<file>'],
  ])('%s finds the API server', (version, kubelet, proxy) => {
    expect(flagsOf('kubelet on each Linux', version)).toContain(kubelet);
    expect(flagsOf('kubelet on each Windows', version)).toContain(kubelet);
    expect(flagsOf('kube-proxy', version)).toContain(proxy);
  });

  test('a Windows kubelet is told its docker network as long as it has Docker', () => {
    expect(flagsOf('kubelet on each Windows', '1.23')).toContain("$env:CONTAINER_NETWORK = 'transparent'");
    expect(flagsOf('kubelet on each Windows', '1.24').join()).not.toContain('CONTAINER_NETWORK');
  });
});

test('ranges and DNS are the configuration’s, and one hand alone gives pod CIDRs', () => {
  expect(flagsOf('kube-apiserver')).toEqual(['--service-cluster-ip-range=10.96.0.0/12']);
  expect(flagsOf('kube-controller-manager')).toEqual([
    '--allocate-node-cidrs=false',
    '--cluster-cidr=192.168.0.0/16',
  ]);
  expect(flagsOf('kube-proxy')).toContain('--cluster-cidr=192.168.0.0/16');
  for (const os of ['Linux', 'Windows'])
    expect(flagsOf(`kubelet on each ${os}`)).toContain('--cluster-dns=10.96.0.10');
});

test('the nodes’ pod CIDRs are lines that a shell takes, as many as there is room for', () => {
  const code = (count: number) => controlPlaneSnippets(CONTROL_PLANE, nodes(count)).at(-1)?.code ?? '';
  // `kubectl` stands in for itself: it prints what it was given.
  const run = (text: string) =>
    execFileSync('sh', ['-euc', `kubectl() { printf '%s\\n' "$3 $5"; }\n${text}`], { encoding: 'utf8' });
  expect(run(code(2))).toBe(
    'lin0 {"spec":{"podCIDR":"192.168.0.0/24"}}\nlin1 {"spec":{"podCIDR":"192.168.1.0/24"}}\n',
  );
  expect(code(0)).toContain('patch node <node>');
  expect(code(15)).not.toContain('<node>');
  expect(code(40)).toContain('for 25 more nodes');
});
