/** The list of nodes as YAML: what `export` gives and `adopt` takes. Its values are those of the commands' arguments. Pure. */
import { z } from 'zod';
import { type ListProblem, Refusal } from '../errors.js';
import type { Cidr } from '../ip.js';
import { NodeEntry } from '../node/node.js';
import { exportHead } from '../words/adopt.js';
import { readPasted, writeYaml, type YamlText } from '../yaml/read.js';
import type { YamlLimits } from '../yaml/shape.js';
import { type ArgumentType, argumentTypes, osType } from './argument.js';

/** Which cluster a list is of. */
interface Cluster {
  name: string;
  cidr: Cidr;
}

/** A value as the commands take it. */
function value(type: ArgumentType | undefined) {
  return z.string().transform((text, context) => {
    const read = type?.read(text.trim()) ?? null;
    if (read === null) context.addIssue({ code: 'custom', params: { takes: type?.takes } });
    return read ?? '';
  });
}

const Entry = z.strictObject({
  name: value(argumentTypes['name']),
  os: value(osType),
  address: value(argumentTypes['address']),
  podCidr: value(argumentTypes['cidr']).optional(),
  ssh: value(argumentTypes['user@host:port']).optional(),
  containerNic: value(argumentTypes['mac']).optional(),
});
const KEYS = Entry.keyof().options;
const List = z.strictObject({ cluster: z.string(), clusterCidr: z.string(), nodes: z.array(Entry).min(1) });

/** More are counted. */
const PROBLEMS_TOLD = 5;

/** Enough for 800 nodes, with seven keys each. */
const LIMITS: YamlLimits = {
  characters: 65_536,
  signs: 50_000,
  values: 6000,
  // A map of lists of maps.
  brackets: 3,
  // What is deeper is told by its key.
  levels: 20,
  documents: 1,
  aliases: 0,
  dashes: 1,
  // What a list needs none of: anchors multiply, tags construct, the others only hide what is meant.
  strange: ['anchor', 'alias', 'tag', 'explicit-key-ind', 'block-scalar-header', 'directive-line', 'doc-end'],
};

/**
 * The nodes of a list, in its order. Throws the Refusals `list-missing`, `list-too-long`, `list-broken` and `list-wrong`; the last two
 * name lines.
 */
export function readNodeList(text: string, cluster: Cluster): NodeEntry[] {
  if (text.trim() === '') throw new Refusal('list-missing', {});
  const [yaml] = readPasted(text, LIMITS, 'list');
  const parsed = List.safeParse(yaml.value);
  const problems = [
    ...yaml.twice.map(({ line, key, first }): ListProblem => ({ line, key, what: 'twice', first })),
    ...(parsed.success
      ? [...otherCluster(parsed.data, cluster, yaml), ...repeated(parsed.data.nodes, yaml)]
      : parsed.error.issues.flatMap((issue) => problemsOf(issue, yaml))),
  ]
    .filter(isFirst)
    .sort((a, b) => a.line - b.line);
  if (problems.length > 0) {
    const told = problems.slice(0, PROBLEMS_TOLD);
    throw new Refusal('list-wrong', { problems: told, more: problems.length - told.length });
  }
  return (parsed.data?.nodes ?? []).map((node) => NodeEntry.parse(node));
}

/** The list of these nodes, in their order, one line each. The same nodes give the same text. */
export function writeNodeList(nodes: readonly NodeEntry[], { name, cidr }: Cluster): string {
  const items = nodes.map((node) =>
    Object.fromEntries(KEYS.flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]]]))),
  );
  return `${exportHead}\n${listHead({ name, cidr }, items)}`;
}

/** What stands above the nodes, for a list that is still to be written. */
export function listHead({ name, cidr }: Cluster, items: readonly object[] = []): string {
  return writeYaml({ cluster: name, clusterCidr: cidr }, 'nodes', items);
}

function problemsOf(issue: z.core.$ZodIssue, { value: whole, lineOf }: YamlText): ListProblem[] {
  const { path } = issue;
  const key = String(path.findLast((part) => typeof part === 'string') ?? '');
  const line = lineOf(path);
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 ? Object.keys(List.shape) : [...KEYS];
    return issue.keys.map((each) => ({ line: lineOf([...path, each]), key: each, what: 'unknown', known }));
  }
  const got = valueAt(whole, path);
  if (got === undefined || got === '' || issue.code === 'too_small') return [{ line, key, what: 'missing' }];
  if (issue.code === 'custom')
    return [{ line, key, what: 'takes', takes: String(issue.params?.['takes']), got: String(got) }];
  return [{ line, key, what: 'form' }];
}

/** A list with nothing in it is of the wrong form and too short: one problem. */
function isFirst(problem: ListProblem, index: number, all: readonly ListProblem[]): boolean {
  const same = ({ line, key, what }: ListProblem) =>
    line === problem.line && key === problem.key && what === problem.what;
  return all.findIndex(same) === index;
}

function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    whole,
  );
}

function otherCluster(
  list: z.output<typeof List>,
  { name, cidr }: Cluster,
  { lineOf }: YamlText,
): ListProblem[] {
  return (
    [
      ['cluster', name],
      ['clusterCidr', cidr],
    ] as const
  ).flatMap(([key, ours]) =>
    list[key] === ours ? [] : [{ line: lineOf([key]), key, what: 'differs', got: list[key], ours }],
  );
}

/** Names, addresses and slices that two have. */
function repeated(nodes: readonly z.output<typeof Entry>[], { lineOf }: YamlText): ListProblem[] {
  return (['name', 'address', 'podCidr'] as const).flatMap((key) => {
    const seen = new Map<string, number>();
    return nodes.flatMap((node, index): ListProblem[] => {
      const got = node[key];
      if (got === undefined) return [];
      const line = lineOf(['nodes', index, key]);
      const first = seen.get(got);
      if (first === undefined) seen.set(got, line);
      return first === undefined ? [] : [{ line, key, what: 'shared', got, first }];
    });
  });
}
