/** The host cases as tests, for any kind of host. */
import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { type CaseHost, caseList } from './case-list.js';

/** Registers every case against the host that `makeHost` makes, which must allow writing; they run in order, on the same host. */
export function hostCases(makeHost: () => Promise<CaseHost>): void {
  describe('a host', () => {
    let host: CaseHost;
    beforeAll(async () => {
      host = await makeHost();
    }, 120_000);
    afterAll(async () => {
      await host?.close();
    }, 60_000);
    for (const { name, run } of caseList) {
      test(name, () => run(host), 120_000);
    }
  });
}
