import { describe, expect, test } from '@jest/globals';
import { type BuildCheck, lacks, Version } from '../../src/plan/build.js';
import { parseSource } from '../../src/source.js';

const fit: BuildCheck = {
  ...{ git: '2.39.2', go: '1.7.1', make: true, freeBytes: 8 * 1024 ** 3 },
  ...{ commit: 'a'.repeat(40), built: false },
};
const what = (check: Partial<BuildCheck>, by: 'make' | 'go' = 'make', version = 'v1.11.0') =>
  lacks({ ...fit, ...check }, by, version).map((lack) => lack.what);

describe('a build host', () => {
  test.each(['1.7', '1.6.3', '1.7rc1', 'devel'])('Go %s is too old', (go) => {
    expect(what({ go })).toEqual(['go-old']);
  });

  test.each(['1.7.1', '1.7.1rc2', '1.10', '1.24.0', '2.0'])('Go %s will do', (go) => {
    expect(what({ go })).toEqual([]);
  });

  test.each([
    ['v1.5.0', '1.9.7', 'make', []],
    ['v1.5.0', '1.10', 'make', ['go-new']],
    ['v1.5.0', '1.22.1', 'make', ['go-new']],
    ['v1.10.13', '1.22.1', 'make', ['go-new']],
    ['v1.5.0', '1.22.1', 'go', []],
  ] as const)('%s with Go %s by %s: %j', (version, go, by, lack) => {
    expect(what({ go }, by, version)).toEqual(lack);
  });

  test('says all that it lacks; make only where it is used; nothing where the commit was built already', () => {
    expect(what({ go: null, make: false, freeBytes: null })).toEqual(['go', 'make', 'disk-unknown']);
    expect(what({ make: false, freeBytes: 1e9 }, 'go')).toEqual(['disk']);
    expect(what({ go: null, freeBytes: 0, built: true })).toEqual([]);
    expect(what({ git: null, go: null })).toEqual(['git']);
  });
});

test.each([
  'https://github.com/kubernetes/kubernetes',
  'http://git.corp.local:8080/k8s.git',
  'ssh://git@git.corp.local:2222/k8s.git',
  '/srv/git/kubernetes',
])('%s is a source', (text) => expect(parseSource(text)).toBe(text));

test.each([
  'ext::sh -c id',
  'git@host:k8s.git',
  'file:///srv/git',
  'https://me:secret@host/k8s',
  'ssh://-x/y',
  'ssh://git@-x/y',
  '--upload-pack=id',
  '/srv/../etc',
  '/srv/$(id)',
  'https://host/a b',
  'http://host/\nx',
  '/',
])('%j is none', (text) => expect(parseSource(text)).toBeNull());

test.each([
  '1.5.0',
  'v1.5',
  'v1.5.0..1',
  'v1.5.0-',
  'v1.5.0-.',
  'v1.5.0/x',
  'v1.5.0;id',
  '-v1.5.0',
  `v1.5.0-${'a'.repeat(64)}`,
])('%j is no version', (text) => expect(Version.safeParse(text).success).toBe(false));
