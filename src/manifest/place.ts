/** A place in a manifest: what stands there, and on which line. Pure. */
import type { YamlText } from '../yaml/read.js';

export interface Place {
  yaml: Pick<YamlText, 'lineOf'>;
  path: readonly PropertyKey[];
  /** Undefined where nothing stands. */
  value: unknown;
}

/** The place under these keys. */
export function at(place: Place, ...keys: readonly string[]): Place {
  const value = keys.reduce<unknown>(
    (inner, key) => (isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    place.value,
  );
  return { yaml: place.yaml, path: [...place.path, ...keys], value };
}

/** Every item of a list; none when it is no list. */
export function items(place: Place): Place[] {
  if (!Array.isArray(place.value)) return [];
  return place.value.map((value: unknown, index) => ({
    yaml: place.yaml,
    path: [...place.path, index],
    value,
  }));
}

/** Every key of a map, with its place; none when it is no map. */
export function entries(place: Place): [key: string, place: Place][] {
  return isMap(place.value) ? Object.keys(place.value).map((key) => [key, at(place, key)]) : [];
}

/** The text that stands there; empty when none does. */
export function textOf({ value }: Place): string {
  return typeof value === 'string' ? value : '';
}

export function isThere({ value }: Place): boolean {
  return value !== undefined && value !== '' && value !== 'null' && value !== '~';
}

/** YAML 1.1's words for it, which kubectl takes. */
export function isTrue(place: Place): boolean {
  return /^(true|yes|on|y)$/i.test(textOf(place));
}

export function lineOf({ yaml, path }: Place): number {
  return yaml.lineOf(path);
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
