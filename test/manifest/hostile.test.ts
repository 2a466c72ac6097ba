/** Manifests that are made to take long, or are none: a clear refusal within a second. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRefusal } from '../../src/errors.js';
import { checkManifest } from '../../src/manifest/check.js';
import { sayRefusal } from '../../src/words/refusal.js';
import { plainVoice } from '../../src/words/voice.js';

const MEGABYTE = 1 << 20;

/** What is said of a text, and how long that took, in ms of this process alone: others work on the machine, too. */
function judge(text: string): { said: string; ms: number } {
  const before = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  try {
    const { findings } = checkManifest(text, { version: '1.5', nodes: [] });
    return { said: `${findings.length} findings`, ms: spent() };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { said: sayRefusal(error, plainVoice), ms: spent() };
  }
}

/** Nine times nine of nine, and so on: a billion, when it is copied out. */
const BOMB = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`),
  'kind: List',
  'items: *a9',
].join('\n');

/** Deterministic noise; `Math.random` would make a failure hard to repeat. */
function noise(length: number): string {
  let state = 7;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return String.fromCharCode(32 + (state % 95));
  }).join('');
}

/** A pod with this in the annotation that Kubernetes 1.5 has for init containers. */
const annotated = (json: string) =>
  `{ kind: Pod, metadata: { annotations: { pod.beta.kubernetes.io/init-containers: '${json}' } }, spec: { dnsPolicy: Default, nodeSelector: { beta.kubernetes.io/os: windows }, containers: [{}] } }`;

const TOO_MUCH = /^That is too much for one check: at most 1024 KB/;
const LINE = /^Line \d+/;

describe('hostile texts', () => {
  test.each<[name: string, text: string, said: RegExp]>([
    ['a bomb of aliases', BOMB, TOO_MUCH],
    ['one that merges', BOMB.replace('items: *a9', '<<: *a9'), TOO_MUCH],
    ['an alias of itself', 'kind: &a [*a]', LINE],
    ['an alias of nothing', 'kind: *a', LINE],
    ['aliases', `k: &a v\n${'x: *a\n'.repeat(300)}`, TOO_MUCH],
    ['1 MB of garbage', noise(MEGABYTE), /^Line \d+|^That is too much/],
    ['1 MB of one word', 'x'.repeat(MEGABYTE), /^Line 1 begins no object of Kubernetes/],
    ['more than 1 MB', `kind: Pod # ${'x'.repeat(MEGABYTE)}`, TOO_MUCH],
    ['1 MB of zero bytes', '\0'.repeat(MEGABYTE), LINE],
    ['a deep nest of brackets', '['.repeat(100_000), LINE],
    ['a deep nest, closed', `kind: ${'['.repeat(5000)}${']'.repeat(5000)}`, LINE],
    ['a deep nest of maps', 'a: {'.repeat(50_000), LINE],
    ['a deep nest of lines', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), LINE],
    ['a deep nest of dashes', '- '.repeat(100_000), LINE],
    ['keys of keys', '? '.repeat(100_000), LINE],
    ['closing brackets', ']'.repeat(100_000), LINE],
    ['commas', `[${','.repeat(100_000)}]`, LINE],
    ['documents', '--- a\n'.repeat(20_000), LINE],
    ['ends of documents', '...\na\n'.repeat(20_000), LINE],
    ['pods', '---\nkind: Pod\nspec: {}\n'.repeat(30_000), /^Line 1501.*check it in parts/],
    ['empty lines', '\n'.repeat(MEGABYTE - 1), /^There is nothing to check/],
    ['comments', '# x\n'.repeat(200_000), TOO_MUCH],
    ['nothing but blanks', ' '.repeat(MEGABYTE), /^There is nothing to check/],
    ['typographic quotes', '---\nkind: “Pod”\nspec: {}\n'.repeat(30_000), /^Line 1501.*check it in parts/],
    ['many of them', '---\nkind: “Pod”\nspec: {}\n'.repeat(495), /^0 findings/],
    ['one of them in a large text', `kind: “Pod”\n${'- x\n'.repeat(12_000)}`, LINE],
    ['lines that have no place', `kind: Pod\n${'- x\n'.repeat(12_000)}`, LINE],
    ['one in a text as large as may be', `a: “\n${'b: c\n'.repeat(9_000)}kind: Pod\n`, LINE],
    ['tabs', `kind: "Pod\n${'\t\n'.repeat(500_000)}`, LINE],
    ['tabs within quotes', `kind: "Pod${'\n\tx'.repeat(300_000)}"`, LINE],
    ['tabs in brackets', `[${'\n\t“x”,'.repeat(20_000)}`, TOO_MUCH],
    ['blanks of a web page', `kind: Pod\n${'\u00a0\u00a0- x\n'.repeat(100_000)}`, /^0 findings|^That is/],
    ['an annotation of brackets', annotated('['.repeat(900_000)), /^1 finding/],
    ['closed ones', annotated(`${'['.repeat(400_000)}${']'.repeat(400_000)}`), /^1 finding/],
    ['an annotation of containers', annotated(`[{}${',{}'.repeat(300_000)}]`), TOO_MUCH],
    [
      'aliases of annotations',
      `kind: List\nitems: [&a ${annotated(`[{"a":"${'x'.repeat(900_000)}"}]`)}${', *a'.repeat(190)}]`,
      TOO_MUCH,
    ],
    [
      'annotations as many as may be',
      Array.from({ length: 400 }, () => annotated(`[{}${',{}'.repeat(10)}]`)).join('\n---\n'),
      /^\d+ findings$/,
    ],
    ['an annotation that is a prototype', annotated('[{"__proto__":{"command":["sh"]}}]'), /^0 findings/],
    ['an open quote', `kind: "${'x\n'.repeat(100_000)}`, LINE],
    ['one key twice', 'kind: Pod\nkind: Pod', /^Line 2, `kind`: it stands on line 1 already/],
    ['a tag that makes something', 'kind: !!js/function "x"\nspec: !!binary |\n  aGk=', /^0 findings/],
    ['no object', 'hello', /^Line 1 begins no object/],
    ['a list without a kind', '- kind', /^Line 1 begins no object/],
    ['a prototype', '{ kind: __proto__, __proto__: { spec: 1 } }', /^0 findings/],
    ['a kind that every object has', 'kind: constructor', /^0 findings/],
    ['a pod that is no map', 'kind: Pod\nspec: [1]', /^0 findings/],
  ])('%s', (_name, text, said) => {
    const judged = judge(text);
    expect(judged.said).toMatch(said);
    expect(judged.ms).toBeLessThan(1000);
  });

  test('350 Deployments in one text are read whole', () => {
    const one = (i: number) =>
      `kind: Deployment\nmetadata:\n  name: web-${i}\nspec:\n  template:\n    spec:\n      hostNetwork: true\n      nodeName: x\n      containers:\n      - name: web\n        image: nginx:1.${i}\n`;
    const text = Array.from({ length: 350 }, (_, i) => one(i)).join('---\n');
    const { pods } = checkManifest(text, { version: '1.31', nodes: [{ name: 'x', os: 'windows' }] });
    expect(pods.windows).toBe(350);
  });

  test('whatever is put together of YAML’s signs is read or refused, with a sentence', () => {
    const signs = fc.constantFrom(
      ...['kind: ', 'Pod', 'spec: ', 'containers: ', '- ', '\n', '\n  ', '\n    ', '{ ', '}', '[', ']', ', '],
      ...[
        '"x"',
        "'",
        '"',
        '|\n',
        '>-\n',
        '&a ',
        '*a ',
        '<<: ',
        '!!str ',
        '# c\n',
        '---\n',
        '...\n',
        '? ',
        '\t',
      ],
      ...['nodeSelector: ', 'hostNetwork: true', 'kubernetes.io/os: windows', 'image: a:ltsc2019', 'List'],
    );
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 60 }), (parts) => {
        expect(judge(parts.join('')).said).toMatch(/findings$|[.]$/);
      }),
      { numRuns: 500 },
    );
  });
});
