/**
 * What old versions of Kubernetes keep as JSON in a pod's annotations, and later ones in fields: read as if it stood in the field, on the
 * annotation's line. Both fields came with 1.6. Init containers were in annotations until 1.8, and those win over the field
 * (`pkg/api/v1/conversion.go`); affinity until 1.6, where a gate that is off came before it (CHANGELOG-1.6). Pure.
 */
import { isAtLeast } from '../kube/version.js';
import { at, isMap, isThere, lineOf, type Place, textOf } from './place.js';

const FIELDS = ['initContainers', 'affinity'] as const;
type Field = (typeof FIELDS)[number];

/** Where each is, the annotation that wins first. */
export const ANNOTATIONS: Readonly<Record<Field, readonly string[]>> = {
  initContainers: ['pod.beta.kubernetes.io/init-containers', 'pod.alpha.kubernetes.io/init-containers'],
  affinity: ['scheduler.alpha.kubernetes.io/affinity'],
};
/** The first 1.x without the annotation. */
const UNTIL: Readonly<Record<Field, number>> = { initContainers: 8, affinity: 6 };

/** What all annotations of a manifest may still have. Below zero: there was more, and not all of it was read. */
export interface Budget {
  characters: number;
  /** Of JSON. */
  values: number;
}

/** A pod's `spec` as a version of Kubernetes takes it. */
export interface SpecAsOf {
  spec: Place;
  /** Fields that the version does not have yet. */
  early: Place[];
  /** Annotations that are not what Kubernetes reads there. */
  broken: Place[];
}

/** Takes what it reads off the budget. */
export function specAsOf(version: string, spec: Place, annotations: Place, budget: Budget): SpecAsOf {
  const fields = FIELDS.filter((field) => !isAtLeast(version, UNTIL[field]));
  const early = isAtLeast(version, 6) ? [] : fields.map((field) => at(spec, field)).filter(isThere);
  const found = fields.flatMap((field) => {
    const place = ANNOTATIONS[field].map((name) => at(annotations, name)).find(isThere);
    return place ? [{ field, place, value: fieldValue(field, textOf(place), budget) }] : [];
  });
  const good = found.filter(({ value }) => value !== null);
  const lines = new Map<PropertyKey, number>(good.map(({ field, place }) => [field, lineOf(place)]));
  const own = Object.entries(spec.value ?? {}).filter(
    ([key]) => !early.some(({ path }) => path.at(-1) === key),
  );
  return {
    spec: {
      ...spec,
      value: Object.fromEntries([...own, ...good.map(({ field, value }) => [field, value] as const)]),
      yaml: { lineOf: (path) => lines.get(path[spec.path.length] ?? '') ?? lineOf({ ...spec, path }) },
    },
    early,
    broken: found.filter(({ value }) => value === null).map(({ place }) => place),
  };
}

/** Null when it is not what the field takes. */
function fieldValue(field: Field, text: string, budget: Budget): object | null {
  budget.characters -= text.length;
  if (budget.characters < 0) return null;
  const value = parseJson(text, budget);
  if (field === 'affinity') return isMap(value) ? value : null;
  return Array.isArray(value) && value.every(isMap) ? value : null;
}

/** Its values are texts, as those of YAML are. */
function parseJson(text: string, budget: Budget): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => {
      budget.values -= 1;
      if (budget.values < 0) throw new RangeError('more values than the budget has');
      return typeof value === 'object' && value !== null ? value : String(value ?? '');
    });
  } catch {
    return null;
  }
}
