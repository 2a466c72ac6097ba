/** Finds the pods of a manifest: its own, and those that its controllers make by a template. Pure. */
import { Refusal } from '../errors.js';
import { readPasted } from '../yaml/read.js';
import type { YamlLimits } from '../yaml/shape.js';
import { type Budget, type SpecAsOf, specAsOf } from './annotations.js';
import { at, isThere, items, lineOf, type Place, textOf } from './place.js';

/** A pod, or what one is made by. */
export interface Pod extends SpecAsOf {
  /** Of what it stands in, as `Deployment`. */
  kind: string;
  /** Empty when it has none. */
  name: string;
  annotations: Place;
  /** The document that it is in. */
  whole: Place;
}

/** What of a manifest the checks look at. */
export interface Manifest {
  pods: Pod[];
  services: Place[];
}

/** In characters; more than this is not fetched either. Kubernetes itself keeps objects under 1.5 MB, all of them together. */
export const MOST_CHARACTERS = 1 << 20;

/** What fits into a second of one core, whatever is made of it: some 350 Deployments, or 4000 lines. */
const LIMITS: YamlLimits = {
  characters: MOST_CHARACTERS,
  signs: 50_000,
  values: 20_000,
  // The schemas in CustomResourceDefinitions are the deepest that people have: some 40 levels.
  brackets: 64,
  levels: 64,
  // kubectl has none; more than this are no manifest of one application.
  documents: 500,
  // A few that are meant, not a bomb: what they stand for is counted, too.
  aliases: 200,
  dashes: 4,
  // A key that is a list or a map is none that Kubernetes knows, and nested ones take the parser long.
  strange: ['explicit-key-ind'],
};

/** Of what annotations have: each value costs as much as one of the manifest itself. */
const MOST_IN_ANNOTATIONS: Budget = { characters: MOST_CHARACTERS, values: 5000 };

/** Where these kinds have their pod; all others, those of extensions too, have a template in their `spec`, if anything. */
const POD_AT: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
  // What 1.4 calls it, and 1.5 still takes.
  ScheduledJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
const TEMPLATE: readonly string[] = ['spec', 'template'];

/** Reads what is for this version of Kubernetes. Throws the Refusals of `readObjects`. */
export function readManifest(text: string, version: string): Manifest {
  const objects = readObjects(text);
  const budget = { ...MOST_IN_ANNOTATIONS };
  const pods = objects.flatMap((object) => podOf(object, version, budget));
  if (budget.characters < 0 || budget.values < 0)
    throw new Refusal('manifest-too-long', { most: MOST_CHARACTERS });
  return {
    pods,
    services: objects.filter((object) => textOf(at(object, 'kind')) === 'Service'),
  };
}

/**
 * Reads YAML or JSON, one document or many, lists as what is in them. Throws the Refusals `manifest-missing`, `manifest-too-long`,
 * `manifest-broken` and `manifest-other`.
 */
export function readObjects(text: string): Place[] {
  if (text.trim() === '') throw new Refusal('manifest-missing', {});
  const objects = documentsOf(text).flatMap(unlist);
  const other = objects.find((object) => textOf(at(object, 'kind')) === '');
  if (other) throw new Refusal('manifest-other', { line: lineOf(other) });
  return objects;
}

function documentsOf(text: string): Place[] {
  const documents = readPasted(text, LIMITS, 'manifest');
  const [twice] = documents.flatMap((document) => document.twice);
  // kubectl refuses it, and which of the two is meant nobody knows.
  if (twice) throw new Refusal('manifest-broken', { line: twice.line, got: twice.key, first: twice.first });
  const places = documents.map((yaml): Place => ({ yaml, path: [], value: yaml.value }));
  return places.filter(isThere);
}

/** `kind: List`, and any other list such as `DeploymentList`, is its items. A list in a list is nothing that kubectl takes. */
function unlist(object: Place): Place[] {
  return /List$/.test(textOf(at(object, 'kind'))) ? items(at(object, 'items')) : [object];
}

function podOf(object: Place, version: string, budget: Budget): Pod[] {
  const kind = textOf(at(object, 'kind'));
  const pod = at(object, ...((Object.hasOwn(POD_AT, kind) ? POD_AT[kind] : undefined) ?? TEMPLATE));
  // A node pool has a template with a `spec`, too.
  if (items(at(pod, 'spec', 'containers')).length === 0) return [];
  const annotations = at(pod, 'metadata', 'annotations');
  return [
    {
      kind,
      name: textOf(at(object, 'metadata', 'name')) || textOf(at(object, 'metadata', 'generateName')),
      ...specAsOf(version, at(pod, 'spec'), annotations, budget),
      annotations,
      whole: object,
    },
  ];
}
