/** Plans as they were parsed last: a plan of hundreds of hosts is looked at many times while its change moves, and hardly ever altered. */
import type { Plan } from '../plan/plan.js';

/** Characters of JSON that are kept parsed: a hundred plans of a hundred hosts, or a few large ones. */
const MOST_TEXT = 32 << 20;

export class ParsedPlans {
  private readonly known = new Map<string, { text: string; plan: Plan }>();
  private size = 0;

  /** The plan of this text, which is what is stored now: the one parsed before when the text is the same. Not to be altered. */
  parse(id: string, text: string): Plan {
    const before = this.known.get(id);
    if (before?.text === text) return before.plan;
    const plan = JSON.parse(text) as Plan;
    this.size += text.length - (before?.text.length ?? 0);
    this.known.delete(id);
    this.known.set(id, { text, plan });
    for (const [oldest, { text: old }] of this.known) {
      if (this.size <= MOST_TEXT) break;
      this.known.delete(oldest);
      this.size -= old.length;
    }
    return plan;
  }
}
