/** What every check has words for. Pure. */
import type { CheckFacts, CheckId } from '../plan/check.js';
import type { Voice } from './voice.js';

/** A sentence for each verdict that these checks can have. `will` says what is missing, without a full stop. */
export type Texts<I extends CheckId> = {
  [C in I]: { [V in keyof CheckFacts[C]]: (facts: CheckFacts[C][V], say: Voice) => string };
};

/** The texts of what a step sees to. `missing` has no full stop. */
export function stands<F>(
  ok: (facts: F, say: Voice) => string,
  missing: (facts: F, say: Voice) => string,
): Record<'ok' | 'will' | 'note', (facts: F, say: Voice) => string> {
  return {
    ok,
    will: missing,
    note: (facts, say) => `${missing(facts, say)}: who set this node up sees to it.`,
  };
}
