/** Shows on the cards of the changes that a visit is for what it is at. */
import type { HostResult } from '../src/change/change.js';
import type { Work } from '../src/change/work.js';
import type { WorkerDeps } from './deps.js';

/** Late enough that many hosts share an edit. */
export const PROGRESS_DELAY_MS = 500;

export class Teller {
  private told = '';
  private readonly deps: WorkerDeps;
  private readonly host: string;
  private readonly works: readonly Work[];

  constructor(deps: WorkerDeps, host: string, works: readonly Work[]) {
    this.deps = deps;
    this.host = host;
    this.works = works;
  }

  /** `tail`: the last lines of what it says itself. */
  async tell(doing: string, tail = ''): Promise<void> {
    if (`${doing}\n${tail}` === this.told) return;
    this.told = `${doing}\n${tail}`;
    const at = new Date().toISOString();
    const result: HostResult = {
      ...{ host: this.host, status: 'waiting', visited: true, doing, at },
      ...(tail === '' ? {} : { tail }),
    };
    for (const { changeId } of this.works) {
      await this.deps.changes.setResults(changeId, [result]);
      await this.deps.jobs.card(changeId, PROGRESS_DELAY_MS);
    }
  }
}
