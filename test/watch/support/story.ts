/** A host's story, told look by look: what the rules make of it. */
import type { Drift, Route } from '../../../src/network/route.js';
import type { Component } from '../../../src/node/component.js';
import type { ProcessSeen } from '../../../src/plan/probe.js';
import type { Hush, Incident } from '../../../src/watch/incident.js';
import { judge } from '../../../src/watch/judge.js';
import { type Lost, NOTHING_LOST, remember, unseen, type Watched } from '../../../src/watch/watched.js';

const BEGIN = Date.parse('2026-11-27T03:00:00.000Z');
const NO_DRIFT: Drift = { missing: [], wrong: [], stray: [], foreign: [] };
export const ROUTE: Route = { destination: '192.168.3.0/24', nextHop: '10.0.0.7' };
export const ROUTE_LOST: Lost = { ...NOTHING_LOST, routes: [ROUTE] };

export interface Sight {
  boot?: string;
  kubelet?: number | null;
  proxy?: number | null;
  lost?: Lost;
  skew?: number;
}

export class Story {
  watched: Watched = unseen('win03');
  over: Incident[] = [];
  expected = new Set<Component>();
  hush: (component?: Component) => Hush | null = () => null;
  private clock = 0;
  private ids = 0;
  private last: Required<Sight> = { boot: 'b1', kubelet: 10, proxy: 20, lost: NOTHING_LOST, skew: 0 };

  /** The host answers, `seconds` after the look before; what is not named is as it was. */
  sees(seconds: number, sight: Sight = {}): this {
    this.clock += seconds * 1000;
    const at = new Date(BEGIN + this.clock).toISOString();
    this.last = { ...this.last, ...sight };
    const { boot, kubelet, proxy, lost, skew } = this.last;
    const process = (pid: number | null): ProcessSeen | null =>
      pid === null ? null : { pid, started: `${pid}`, startedAt: at };
    return this.judge(
      remember(this.watched, {
        at,
        probe: {
          observed: { routes: [], addresses: [], forwarding: true, nodeDevice: 'eth0', bridges: [], boot },
          processes: { kubelet: process(kubelet), 'kube-proxy': process(proxy) },
          clock: new Date(BEGIN + this.clock + skew * 1000).toISOString(),
        },
        drift: NO_DRIFT,
        desired: 3,
        lost,
      }),
      at,
    );
  }

  /** The host does not answer. */
  misses(seconds: number): this {
    this.clock += seconds * 1000;
    const at = new Date(BEGIN + this.clock).toISOString();
    return this.judge(remember(this.watched, { at, since: at, failure: 'connect timed out' }), at);
  }

  /** `reason component state count`, of what is not over. */
  get now(): string[] {
    return this.watched.incidents.map(({ reason, component, state, count, hushed }) =>
      [reason, component, state, count > 1 ? count : undefined, hushed].filter(Boolean).join(' '),
    );
  }

  private judge(after: Watched, now: string): this {
    const { watched: before, expected } = this;
    const { incidents, over } = judge({ before, after, now, expected, hush: (of) => this.hush(of) });
    this.over.push(...over);
    const named = incidents.map((each) => {
      if (!each.id.startsWith('new-')) return each;
      this.ids += 1;
      return { ...each, id: `i${this.ids}` };
    });
    this.watched = { ...after, incidents: named };
    return this;
  }
}
