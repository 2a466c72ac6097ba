/** The seal: a hash over what a plan was made from and what it will do. Approving names it; applying checks it. Pure. */
import { createHash } from 'node:crypto';
import type { Plan } from './plan.js';
import type { PlanPolicy } from './policy.js';
import { scopeOf, sealedFacts } from './reading.js';

/** 12 hex digits of SHA-256: short enough to read out, and a second plan with the same digits can't be made on purpose within a card's life. */
export function planHash(plan: Plan, policy: Pick<PlanPolicy, 'clusterCidr' | 'bridge'>): string {
  const hosts = plan.hosts.map((host) => ({
    ...host,
    observed: host.observed && sealedFacts(host.observed, scopeOf(plan, host, policy)),
  }));
  return createHash('sha256')
    .update(canonicalJson({ ...plan, hosts }))
    .digest('hex')
    .slice(0, 12);
}

/** JSON with sorted keys, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
