/** Real manifests (see fixtures/SOURCES.md) and what is to be found in each, by version of Kubernetes; then each rule by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkManifest } from '../../src/manifest/check.js';
import { buildOfImage, releaseOf, runs, tagFor } from '../../src/manifest/image.js';
import { type Finding, RULES } from '../../src/manifest/rule.js';
import type { Cluster } from '../../src/manifest/target.js';
import { findingLine } from '../../src/words/manifest.js';
import { plainVoice, slackVoice } from '../../src/words/voice.js';

const FIXTURES = join(__dirname, 'fixtures');
const NODES: Cluster['nodes'] = [
  { name: 'lin01', os: 'linux' },
  { name: 'win01', os: 'windows', build: 14393 },
  { name: 'win02', os: 'windows', build: 20348 },
];

function check(text: string, version: string, nodes = NODES) {
  return checkManifest(text, { version, nodes });
}

/** `12 secret test-secret`, with `?` in front when it only differs. */
function brief({ line, rule, what, severity }: Finding): string {
  return `${severity === 'differs' ? '? ' : ''}${line} ${rule} ${what}`;
}

const found = (text: string, version: string, nodes = NODES) =>
  check(text, version, nodes).findings.map(brief);

const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');

/** Windows, Linux, either; then the findings. */
const EXPECTED: readonly (readonly [file: string, version: string, pods: string, findings: string[]])[] = [
  ['sdn-webserver.yaml', '1.5', '1 0 0', ['? 32 dns-tcp ClusterFirst']],
  ['sdn-webserver.yaml', '1.6', '1 0 0', []],
  [
    'sdn-simpleweb2022.yaml',
    '1.18',
    '1 0 0',
    ['? 35 image-build mcr.microsoft.com/windows/servercore:ltsc2022'],
  ],
  [
    'sdn-simpleweb2022.yaml',
    '1.13',
    '1 0 0',
    ['? 35 image-build mcr.microsoft.com/windows/servercore:ltsc2022', '41 os-label kubernetes.io/os'],
  ],
  ['sdn-kube-dns.yaml', '1.5', '0 1 0', []],
  ['sdn-kube-dns-service.yaml', '1.5', '0 0 0', ['? 15 udp-service 53']],
  ['sdn-kube-dns-service.yaml', '1.6', '0 0 0', []],
  ['sdn-hnsautomitigator2019.yaml', '1.31', '1 0 0', []],
  ['sdn-hnsautomitigator2019.yaml', '1.21', '1 0 0', ['20 host-network hostNetwork']],
  ['sig-windows-kube-proxy.yaml', '1.31', '1 0 0', []],
  [
    'sig-windows-kube-proxy.yaml',
    '1.9',
    '1 0 0',
    ['22 host-network hostNetwork', '43 os-label kubernetes.io/os', '49 config-map kube-proxy'],
  ],
  ['sig-windows-containerd-logger.yaml', '1.31', '1 0 0', []],
  ['examples-guestbook.yaml', '1.5', '0 0 3', [35, 79, 132].map((line) => `${line} no-os nodeSelector`)],
  ['examples-newrelic-infra.yaml', '1.5', '0 0 1', ['14 no-os nodeSelector']],
  ['examples-mongo-pod.json', '1.31', '0 0 1', ['11 no-os nodeSelector']],
  ['examples-cassandra.yaml', '1.31', '0 0 1', ['17 no-os nodeSelector']],
  ['examples-javaweb.yaml', '1.31', '0 0 1', ['5 no-os nodeSelector']],
  [
    'website-secret-pod.yaml',
    '1.5',
    '1 0 0',
    ['6 no-os nodeSelector', '? 6 dns-tcp ClusterFirst', '18 secret test-secret', '23 secret test-secret'],
  ],
  ['website-secret-pod.yaml', '1.6', '1 0 0', ['6 no-os nodeSelector']],
  [
    'website-configmap-pod.yaml',
    '1.5',
    '1 0 0',
    [
      '? 20 dns-tcp ClusterFirst',
      '27 config-map example-config',
      '35 config-map example-config',
      '43 os-label kubernetes.io/os',
    ],
  ],
  ['website-configmap-pod.yaml', '1.14', '1 0 0', []],
  ['website-daemonset.yaml', '1.31', '1 0 0', ['26 image-build microsoft/windowsservercore:1709']],
  ['website-hostpath-volume-pod.yaml', '1.12', '1 0 0', ['8 image-build microsoft/windowsservercore:1709']],
  ['website-deploy-hyperv.yaml', '1.12', '1 0 0', ['24 no-os nodeSelector']],
  ['website-cronjob.yaml', '1.31', '0 0 1', ['10 no-os nodeSelector']],
  ['website-job.yaml', '1.31', '0 0 1', ['7 no-os nodeSelector']],
  ['website-security-context.yaml', '1.31', '0 0 1', ['5 no-os nodeSelector']],
];

describe('real manifests', () => {
  test.each(EXPECTED)('%s, Kubernetes %s', (file, version, pods, findings) => {
    const { pods: counts, findings: all } = check(fixture(file), version);
    expect(`${counts.windows} ${counts.linux} ${counts.unknown}`).toBe(pods);
    expect(all.map(brief)).toEqual(findings);
  });

  test('every fixture is one that is expected something of, with its source', () => {
    const files = readdirSync(FIXTURES).filter((name) => name !== 'SOURCES.md');
    expect([...new Set(EXPECTED.map(([file]) => file))].sort()).toEqual(files.sort());
    for (const file of files) expect(fixture('SOURCES.md')).toContain(`\`${file}\``);
  });

  /** The same as somebody would write them for Windows, with one line more. */
  const forWindows = (file: string, label = 'kubernetes.io/os') =>
    fixture(file).replace(/^( +)containers:/gm, `$1nodeSelector: { ${label}: windows }\n$&`);

  test('what Linux examples run into on Windows', () => {
    const daemon = [
      '18 host-namespace hostPID',
      '19 host-namespace hostIPC',
      '20 host-network hostNetwork',
      '27 privileged privileged',
      '30 linux-command bash',
      '46 secret newrelic-config',
      '? 50 linux-path /dev',
      '? 53 linux-path /var/run/docker.sock',
      '? 56 linux-path /var/log',
      '? 59 linux-path /',
    ];
    expect(found(forWindows('examples-newrelic-infra.yaml', 'beta.kubernetes.io/os'), '1.13')).toEqual(
      daemon,
    );
    expect(found(forWindows('examples-newrelic-infra.yaml'), '1.14')).toEqual(
      daemon.filter((line) => !line.includes('secret')),
    );
    expect(found(forWindows('examples-cassandra.yaml'), '1.14')).toEqual([
      '? 41 security-field capabilities',
      '48 linux-command /bin/sh',
      '73 linux-command /bin/bash',
      '83 linux-command /bin/bash',
    ]);
    expect(found(forWindows('examples-cassandra.yaml', 'beta.kubernetes.io/os'), '1.9')).toContain(
      '2 stateful-set StatefulSet',
    );
    expect(found(forWindows('website-cronjob.yaml'), '1.31')).toEqual(['17 linux-command /bin/sh']);
    expect(found(forWindows('website-security-context.yaml'), '1.31')).toEqual([
      '? 7 security-field runAsUser',
      '? 8 security-field fsGroup',
      '? 20 security-field allowPrivilegeEscalation',
    ]);
    const dns = fixture('sdn-kube-dns.yaml').replace('os: linux', 'os: windows');
    expect(found(dns, '1.8')).toEqual(['60 one-container 3']);
    expect(found(dns, '1.9')).toEqual(['? 60 one-container 3']);
    expect(found(dns, '1.9', NODES.slice(2))).toEqual([]);
  });
});

/** A pod for Windows, with lines of its spec. */
const pod = (...lines: string[]) =>
  [
    'kind: Pod',
    'metadata: { name: web }',
    'spec:',
    '  nodeSelector: { kubernetes.io/os: windows }',
    ...lines.map((line) => `  ${line}`),
    ...(lines.some((line) => line.startsWith('containers')) ? [] : ['  containers: [{}]']),
  ].join('\n');

describe('each rule', () => {
  /** The findings are on the fifth line unless said otherwise. */
  const CASES: readonly (readonly [text: string, version: string, findings: string[]])[] = [
    [pod('dnsPolicy: ClusterFirstWithHostNet'), '1.31', ['5 dns-policy ClusterFirstWithHostNet']],
    [pod('dnsPolicy: Default'), '1.31', []],
    [pod('hostNetwork: "false"'), '1.31', []],
    [pod('shareProcessNamespace: true'), '1.31', ['5 host-namespace shareProcessNamespace']],
    [
      pod('os: { name: windows }', 'securityContext: { runAsUser: 5 }'),
      '1.25',
      ['6 security-field runAsUser'],
    ],
    [
      pod('os: { name: windows }', 'securityContext: { runAsUser: 5 }'),
      '1.22',
      ['? 6 security-field runAsUser'],
    ],
    [pod('securityContext: { runAsNonRoot: true, windowsOptions: { runAsUserName: x } }'), '1.31', []],
    [pod('volumes: [{ name: ram, emptyDir: { medium: Memory } }]'), '1.31', ['5 memory-volume ram']],
    [pod('volumes: [{ name: a, nfs: { server: x } }]'), '1.31', ['5 nfs nfs']],
    [
      pod('volumes:', '- projected: { sources: [{ secret: { name: s } }, { configMap: { name: c } }] }'),
      '1.14',
      [],
    ],
    [pod('containers: [{ volumeDevices: [{ name: x }] }]'), '1.31', ['5 raw-device volumeDevices']],
    [
      pod('containers: [{ volumeMounts: [{ mountPropagation: Bidirectional, subPath: a }] }]'),
      '1.31',
      ['5 mount-propagation mountPropagation', '5 sub-path subPath'],
    ],
    [
      pod('containers: [{ resources: { limits: { hugepages-2Mi: 1Gi, cpu: 1 } } }]'),
      '1.31',
      ['5 huge-pages hugepages-2Mi'],
    ],
    [
      pod('containers: [{ workingDir: /app, args: [/bin/true] }]'),
      '1.31',
      ['? 5 linux-path /app', '5 linux-command /bin/true'],
    ],
    [pod('containers: [{ command: [ping], args: [/t, localhost] }]'), '1.31', []],
    [pod('containers: [{ securityContext: { privileged: false } }]'), '1.31', []],
    [pod('initContainers:', '- command: [sh]'), '1.31', ['6 linux-command sh']],
  ];

  test.each(CASES)('%s (%s)', (text, version, findings) => {
    expect(found(text, version)).toEqual(findings);
  });

  test('before 1.14 what is projected is no better than a volume of its own', () => {
    const text = pod(
      'volumes:',
      '- projected: { sources: [{ secret: { name: s } }, { configMap: { name: c } }] }',
    );
    const rest = found(text, '1.9').filter((line) => !line.includes('os-label'));
    expect(rest).toEqual(['6 secret s', '6 config-map c']);
  });

  test('all of envFrom, and of a key', () => {
    const text = pod(
      'containers:',
      '- env: [{ name: A, valueFrom: { secretKeyRef: { name: s } } }]',
      '  envFrom: [{ configMapRef: { name: c } }]',
    );
    expect(found(text, '1.5')).toEqual(expect.arrayContaining(['6 secret s', '7 config-map c']));
    expect(found(text, '1.6').filter((line) => !line.includes('os-label'))).toEqual([]);
  });
});

describe('what a pod is meant for', () => {
  const counts = (text: string) => {
    const { windows, linux, unknown } = check(text, '1.31').pods;
    return windows ? 'windows' : linux ? 'linux' : unknown ? 'unknown' : 'none';
  };
  const spec = (text: string) =>
    `{ kind: Pod, spec: ${text.includes('containers') ? text : text.replace(/ }$/, ', containers: [{}] }')} }`;
  const term = (value: string, key = 'kubernetes.io/os') =>
    `{ matchExpressions: [{ key: ${key}, operator: In, values: [${value}] }] }`;
  const affinity = (...terms: string[]) =>
    spec(
      `{ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [${terms.join(', ')}] } } } }`,
    );

  test.each([
    [spec('{ nodeSelector: { beta.kubernetes.io/os: windows } }'), 'windows', false],
    [spec('{ nodeSelector: { kubernetes.io/os: linux } }'), 'linux', false],
    [spec('{ nodeSelector: { kubernetes.io/hostname: win01 } }'), 'windows', false],
    [spec('{ nodeSelector: { node.kubernetes.io/windows-build: 10.0.17763 } }'), 'windows', false],
    [spec('{ nodeName: lin01 }'), 'linux', false],
    [affinity(term('windows')), 'windows', false],
    [affinity(term('windows'), term('windows')), 'windows', false],
    [affinity(term('windows'), term('linux')), 'unknown', true],
    [affinity(term('windows, linux')), 'unknown', true],
    [affinity(term('windows').replace('In', 'NotIn')), 'linux', false],
    [affinity(term('ssd', 'disk').replace('In', 'NotIn')), 'unknown', true],
    [spec('{ nodeSelector: { disk: ssd } }'), 'unknown', false],
    ...[
      'kubernetes.io/arch: amd64',
      'beta.kubernetes.io/arch: amd64',
      'topology.kubernetes.io/zone: a',
      'failure-domain.beta.kubernetes.io/region: a',
      'beta.kubernetes.io/instance-type: a',
    ].map((label): [string, string, boolean] => [spec(`{ nodeSelector: { ${label} } }`), 'unknown', true]),
    [spec('{ nodeSelector: { kubernetes.io/arch: amd64, disk: ssd } }'), 'unknown', false],
    [spec('{ nodeSelector: { kubernetes.io/arch: arm64 } }'), 'unknown', false],
    [affinity(term('amd64', 'kubernetes.io/arch')), 'unknown', true],
    [
      spec(
        '{ nodeSelector: { beta.kubernetes.io/arch: amd64 }, containers: [{ image: "microsoft/iis:latest" }] }',
      ),
      'windows',
      true,
    ],
    [spec('{ nodeName: elsewhere }'), 'unknown', false],
    [spec('{ os: { name: windows } }'), 'windows', true],
    [spec('{ os: { name: linux } }'), 'linux', true],
    [spec('{ containers: [{ image: "x/y:4.8-windowsservercore-ltsc2019" }] }'), 'windows', true],
    [spec('{ containers: [{ image: nginx }] }'), 'unknown', true],
    [
      spec('{ containers: [{ securityContext: { windowsOptions: { runAsUserName: x } } }] }'),
      'windows',
      true,
    ],
  ])('%s: %s', (text, wanted, undecided) => {
    expect(counts(text)).toBe(wanted);
    expect(found(text, '1.31').includes('1 no-os nodeSelector')).toBe(undecided);
  });

  test.each<[string, string, string[]]>([
    [affinity(term('windows')), '1.13', ['1 os-label kubernetes.io/os']],
    [affinity(term('windows')), '1.14', []],
    [affinity(term('windows', 'beta.kubernetes.io/os')), '1.13', []],
    [affinity(term('windows'), term('windows')), '1.13', Array(2).fill('1 os-label kubernetes.io/os')],
    [affinity(term('windows'), term('windows', 'beta.kubernetes.io/os')), '1.13', []],
    [affinity(term('windows'), term('linux', 'beta.kubernetes.io/os')), '1.13', ['1 no-os nodeSelector']],
    // It holds on nodes without the label, which are all.
    [affinity(term('linux').replace('In', 'NotIn')), '1.13', ['1 no-os nodeSelector']],
    [affinity(term('linux').replace('In', 'NotIn')), '1.14', []],
  ])('%s asks for a label that nodes of %s may not have', (text, version, findings) => {
    expect(found(text, version)).toEqual(findings);
  });

  test.each([
    ['Deployment', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    ['ReplicaSet', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    [
      'ReplicationController',
      'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }',
    ],
    ['DaemonSet', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    ['StatefulSet', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    ['Job', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    [
      'CronJob',
      'spec: { jobTemplate: { spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } } } }',
    ],
    [
      'ScheduledJob',
      'spec: { jobTemplate: { spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } } } }',
    ],
    ['PodTemplate', 'template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } }'],
    ['Rollout', 'spec: { template: { spec: { hostPID: true, nodeName: win01, containers: [{}] } } }'],
    ['Pod', 'spec: { hostPID: true, nodeName: win01, containers: [{}] }'],
  ])('a %s, alone, as a document of several, and in a list', (kind, inner) => {
    const object = `{ kind: ${kind}, metadata: { name: x }, ${inner} }`;
    const finding = { rule: 'host-namespace', kind, name: 'x' };
    expect(check(object, '1.31').findings).toMatchObject([{ ...finding, line: 1 }]);
    expect(check(`kind: Namespace\n---\n# two\n${object}\n---\n`, '1.31').findings).toMatchObject([
      { ...finding, line: 4 },
    ]);
    expect(check(`kind: List\nitems:\n- ${object}`, '1.31').findings).toMatchObject([
      { ...finding, line: 3 },
    ]);
  });

  test('anchors and merged keys are what they stand for', () => {
    const text = `kind: Pod
metadata: { annotations: &common { a: b } }
base: &base
  hostPID: true
  hostIPC: true
other: &other { hostPID: false, dnsPolicy: ClusterFirstWithHostNet }
spec:
  <<: [*base, *other]
  hostIPC: false
  nodeName: win01
  containers: [{}]
  labels: *common`;
    expect(found(text, '1.31')).toEqual(['8 host-namespace hostPID', '8 dns-policy ClusterFirstWithHostNet']);
  });
});

describe('what old versions keep in annotations', () => {
  const BETA = 'pod.beta.kubernetes.io/init-containers';
  const ALPHA = 'pod.alpha.kubernetes.io/init-containers';
  const AFFINITY = 'scheduler.alpha.kubernetes.io/affinity';
  const inits = (name: string) =>
    `[{"name":"a","command":["sh"]},{"volumeMounts":[{"subPath":"${name}"}],"securityContext":{"privileged":true,"runAsUser":null}}]`;
  const requires = (label: string, os = 'windows') =>
    `{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"${label}","operator":"In","values":["${os}"]}]}]}}}`;
  /** A Deployment whose annotations begin on the sixth line, with lines of its pod's spec from the second after them. */
  const deployment = (annotations: readonly (readonly [string, string])[], ...lines: string[]) =>
    [
      ...['kind: Deployment', 'spec:', '  template:', '    metadata:', '      annotations:'],
      ...annotations.map(([name, json]) => `        ${name}: '${json}'`),
      ...['    spec:', '      dnsPolicy: Default', '      containers: [{}]'],
      ...lines.map((line) => `      ${line}`),
    ].join('\n');
  const forWindows = (annotations: readonly (readonly [string, string])[], ...lines: string[]) =>
    deployment(annotations, 'nodeSelector: { beta.kubernetes.io/os: windows }', ...lines);
  const OF_INITS = ['6 privileged privileged', '6 sub-path subPath', '6 linux-command sh'];

  test.each<[string, string, string, string[]]>([
    ['init containers', forWindows([[BETA, inits('x')]]), '1.5', OF_INITS],
    ['those of 1.4', forWindows([[ALPHA, inits('x')]]), '1.7', OF_INITS],
    [
      'both, of which beta wins',
      forWindows([
        [ALPHA, '[]'],
        [BETA, inits('x')],
      ]),
      '1.5',
      OF_INITS.map((line) => line.replace('6', '7')),
    ],
    [
      'both as field and as annotation, which wins',
      forWindows([[BETA, '[]']], 'initContainers: [{ command: [sh] }]'),
      '1.6',
      [],
    ],
    ['what 1.8 does not look at', forWindows([[BETA, inits('x')]]), '1.8', []],
    ['what 1.8 does not look at, whatever it is', forWindows([[BETA, '[{']]), '1.8', []],
    ['no JSON', forWindows([[BETA, '[{"a":']]), '1.5', [`6 annotation ${BETA}`]],
    ['other JSON', forWindows([[BETA, '["sh"]']]), '1.5', [`6 annotation ${BETA}`]],
    ['a list of YAML', forWindows([[BETA, '[]']]).replace("'[]'", '[a]'), '1.5', [`6 annotation ${BETA}`]],
    ['no JSON for Linux', deployment([[BETA, '[{']], 'nodeName: lin01'), '1.5', []],
    [
      'an affinity',
      deployment([[AFFINITY, requires('beta.kubernetes.io/os')]], 'hostPID: true'),
      '1.5',
      ['10 host-namespace hostPID'],
    ],
    [
      'one of a label that is not there',
      deployment([[AFFINITY, requires('kubernetes.io/os')]]),
      '1.5',
      ['6 os-label kubernetes.io/os'],
    ],
    ['one for Linux', deployment([[AFFINITY, requires('beta.kubernetes.io/os', 'linux')]]), '1.5', []],
    [
      'one that 1.6 does not look at',
      deployment([[AFFINITY, requires('beta.kubernetes.io/os')]]),
      '1.6',
      ['7 no-os nodeSelector'],
    ],
    [
      'an affinity that is none',
      deployment([[AFFINITY, '[]']]),
      '1.5',
      [`6 annotation ${AFFINITY}`, '7 no-os nodeSelector'],
    ],
    [
      'the field instead of it',
      deployment([['a', 'b']], `affinity: ${requires('beta.kubernetes.io/os')}`),
      '1.5',
      ['7 no-os nodeSelector', '10 early-field affinity'],
    ],
    ['the field', deployment([['a', 'b']], `affinity: ${requires('beta.kubernetes.io/os')}`), '1.6', []],
    [
      'the other field',
      forWindows([['a', 'b']], 'initContainers: [{ command: [sh] }]'),
      '1.5',
      ['11 early-field initContainers'],
    ],
    [
      'both fields, for Linux',
      deployment([['a', 'b']], 'nodeName: lin01', `affinity: {}`, 'initContainers: [{}]'),
      '1.5',
      [],
    ],
  ])('%s', (_what, text, version, findings) => {
    expect(found(text, version)).toEqual(findings);
  });
});

describe('what is pasted', () => {
  const POD = pod('hostPID: true');
  const json = (indent: string) =>
    JSON.stringify(
      {
        kind: 'Pod',
        spec: { nodeName: 'win01', hostPID: true, containers: [{ name: 'web' }] },
      },
      null,
      indent,
    );

  test.each<[string, string, string]>([
    ['a text with an apostrophe', `${POD}\n  description: 'it’s fine'`, '5 host-namespace hostPID'],
    ['one without quotes', `${POD}\n  description: it’s “fine”`, '5 host-namespace hostPID'],
    ['quotes in a comment', `# it’s “fine”\n${POD}`, '6 host-namespace hostPID'],
    ['quotes in a block', `${POD}\n  data: |\n    it’s “fine”, "isn't`, '5 host-namespace hostPID'],
    ['quotes in JSON', json('  ').replace('web', 'say “hi”'), '5 host-namespace hostPID'],
    [
      'typographic quotes for signs',
      POD.replaceAll('windows', '“windows”').replace('web', '‘web’'),
      '5 host-namespace hostPID',
    ],
    ['such JSON', json('  ').replaceAll('"', '”'), '5 host-namespace hostPID'],
    ['blanks of a web page', POD.replaceAll('  ', '\u00a0\u00a0'), '5 host-namespace hostPID'],
    ['blanks after colons', POD.replaceAll(': ', ':\u00a0'), '5 host-namespace hostPID'],
    ['a mark that is not seen', `\u200b${POD}`, '5 host-namespace hostPID'],
    ['JSON with tabs', json('\t'), '5 host-namespace hostPID'],
    ['such JSON with typographic quotes', json('\t').replaceAll('"', '”'), '5 host-namespace hostPID'],
    ['a tab within quotes', `${POD}\n  text: "a\n\tb: c\n\td"`, '5 host-namespace hostPID'],
    [
      'the same with a block of tabs',
      `${POD}\n  text: 'a\n\tb'\n  more: |\n    a\n    \tb`,
      '5 host-namespace hostPID',
    ],
  ])('with %s is read as it was meant', (_what, text, finding) => {
    expect(found(text, '1.31')).toEqual([finding]);
  });

  test.each<[string, string, number, string]>([
    ['tabs', POD.replaceAll('  ', '\t'), 4, 'Tabs are not allowed'],
    ['tabs alone', `\t${POD}`, 1, 'Tabs are not allowed'],
    ['tabs in brackets', 'kind: Pod\nspec: {\n\thostPID: true\n\t}', 3, ''],
    ['tabs beside one within quotes', `a: "b\n\tc"\n${POD}\n\thostIPC: true`, 9, 'Tabs are not allowed'],
    ['tabs in a text of lines', `a: "b\n\tc"\nb: c\n\td`, 4, 'Tabs are not allowed'],
    ['an open quote after one that may stand', `a: 'it’s fine'\n${POD}\nb: "`, 8, 'Missing closing'],
    ['a bracket that is open after quotes', `a: “b”\n${POD}\nb: [`, 8, ''],
    ['a bracket that is open after blanks', `${POD.replaceAll('  ', '\u00a0\u00a0')}\n  b: [`, 7, ''],
  ])('with %s is refused on its line', (_what, text, line, why) => {
    expect(() => check(text, '1.31')).toThrow(
      expect.objectContaining({ code: 'manifest-broken', facts: expect.objectContaining({ line }) }),
    );
    expect(() => check(text, '1.31')).toThrow(why);
  });
});

describe('images against hosts', () => {
  test.each([
    ['mcr.microsoft.com/windows/servercore:ltsc2016', 14393],
    ['microsoft/nanoserver:sac2016', 14393],
    ['mcr.microsoft.com/windows/servercore:10.0.14393.5850', 14393],
    ['registry.local:5000/app:4.8-windowsservercore-ltsc2019', 17763],
    ['mcr.microsoft.com/windows/nanoserver:1809@sha256:abc', 17763],
    ['mcr.microsoft.com/windows/servercore:20H2', 19042],
    ['mcr.microsoft.com/windows/servercore:ltsc2025-amd64', 26100],
    ['mcr.microsoft.com/windows/servercore', null],
    ['microsoft/iis:latest', null],
    ['nginx:1.1809', null],
    ['redis:1803', null],
    ['registry:1809/app', null],
  ])('%s is for build %s', (image, build) => {
    expect(buildOfImage(image)).toBe(build);
  });

  test.each([
    [14393, 14393, true],
    [17763, 14393, false],
    [14393, 17763, false],
    [20348, 17763, false],
    [25398, 20348, true],
    [26100, 20348, true],
    [26100, 17763, false],
    [20348, 26100, false],
  ])('a host of build %s and an image of build %s: %s', (host, image, fits) => {
    expect(runs(host, image)).toBe(fits);
  });

  test('a build without a release is named by its number', () => {
    expect([releaseOf(17763), releaseOf(12345), tagFor(12345)]).toEqual([
      'Windows Server 2019',
      'build 12345',
      '10.0.12345',
    ]);
  });

  test('a build that is not known is said so, and only where it matters', () => {
    const nodes: Cluster['nodes'] = [{ name: 'win01', os: 'windows' }, ...NODES.slice(2)];
    const text = pod('containers: [{ image: "mcr.microsoft.com/windows/servercore:ltsc2022" }]');
    expect(check(text, '1.31', nodes)).toMatchObject({ findings: [], unknownBuilds: ['win01'] });
    const other = text.replace('ltsc2022', 'ltsc2019');
    expect(check(other, '1.31', nodes)).toMatchObject({
      findings: [{ severity: 'differs', nodes: [{ name: 'win02' }] }],
    });
    expect(check(pod('containers: [{ image: app }]'), '1.31', nodes).unknownBuilds).toEqual([]);
    const pinned = text.replace('kubernetes.io/os: windows', 'kubernetes.io/hostname: win02');
    expect(check(pinned, '1.31', nodes)).toMatchObject({ findings: [], unknownBuilds: [] });
  });

  test('Hyper-V isolation and HostProcess containers take other builds', () => {
    const image = 'containers: [{ image: "mcr.microsoft.com/windows/servercore:ltsc2019" }]';
    const hyperV = pod(image).replace(
      'name: web',
      'name: web, annotations: { experimental.windows.kubernetes.io/isolation-type: hyperv }',
    );
    expect(found(hyperV, '1.20')).toEqual([]);
    expect(found(hyperV, '1.21')).toEqual([expect.stringContaining('image-build')]);
    expect(found(pod('securityContext: { windowsOptions: { hostProcess: true } }', image), '1.31')).toEqual(
      [],
    );
  });
});

test.each(RULES)('what is said of %s is whole, harmless, and says what to do', (rule) => {
  for (const version of ['1.5', '1.9', '1.31'])
    for (const severity of ['fails', 'differs'] as const)
      for (const more of [{}, { build: 17763, nodes: NODES.slice(1) }])
        for (const voice of [slackVoice, plainVoice]) {
          const what = '<!channel> `x`';
          const said = findingLine(
            { line: 3, rule, severity, kind: 'Pod', name: 'web', what, ...more },
            version,
            voice,
          );
          expect(said).toMatch(/^\S+ line 3: .*\. .*\.$/s);
          expect(said).not.toMatch(/undefined|null|\[object/);
          if (voice === slackVoice) expect(said).not.toMatch(/<!channel>|`x`/);
        }
});
