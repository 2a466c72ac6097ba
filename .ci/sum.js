// Adds up Jest's --json files in a folder and prints `N passed, N failed, N skipped`.
// usage: node .ci/sum.js <folder> <steps that failed>
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const result = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  sum.passed += result.numPassedTests;
  // A file that could not even be loaded counts no test of its own.
  sum.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  sum.skipped += result.numPendingTests + result.numTodoTests;
}
// A step that failed without a failing test: the types, the linter, a crash, the clock.
if (sum.failed === 0) sum.failed = Number(failedSteps);
// Nothing run is nothing shown to work.
if (sum.passed + sum.failed + sum.skipped === 0) sum.failed = 1;
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
