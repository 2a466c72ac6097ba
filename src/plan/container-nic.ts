/** Which network card of a Windows host is given up to its containers (S8). Pure. */
import type { Nic } from './plan.js';

type Card = Pick<Nic, 'name' | 'mac'>;

/** The card, or why there is none: `has` lists those to choose from. */
export type NicChoice =
  | { mac: string; name: string }
  | { mac: null; why: 'unknown'; asked: string; has: Card[] }
  | { mac: null; why: 'busy'; asked: string; uses: string[] }
  | { mac: null; why: 'none-free'; has: Card[] }
  | { mac: null; why: 'several-free'; has: Card[] };

/** The one asked for, else the only free one. Hyper-V's host adapters are none. */
export function chooseNic(asked: string | undefined, nics: readonly Nic[]): NicChoice {
  const physical = nics.filter((nic) => nic.kind === 'physical');
  if (asked !== undefined) {
    const nic = physical.find(({ mac }) => mac === asked);
    if (nic === undefined) return { mac: null, why: 'unknown', asked, has: physical.map(cardOf) };
    return nic.busy.length > 0 ? { mac: null, why: 'busy', asked, uses: nic.busy } : cardOf(nic);
  }
  const free = physical.filter((nic) => nic.busy.length === 0);
  const [only, ...others] = free;
  if (only === undefined) return { mac: null, why: 'none-free', has: physical.map(cardOf) };
  return others.length > 0 ? { mac: null, why: 'several-free', has: free.map(cardOf) } : cardOf(only);
}

function cardOf({ name, mac }: Nic): Card {
  return { name, mac };
}
