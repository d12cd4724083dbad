// Prints "N passed, N failed" from vitest's JSON report, and exits with 0 only where everything passed.
// A file that broke before its first test, an error outside of tests, and a report that never came count as one failure each.
import { readFileSync } from 'node:fs';

const [file, exitCode] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let succeeded = false;
try {
  const report = JSON.parse(readFileSync(file, 'utf8'));
  passed = report.numPassedTests;
  const brokenFiles = report.testResults.filter(
    (one) => one.status === 'failed' && one.assertionResults.every((test) => test.status !== 'failed'),
  );
  failed = report.numFailedTests + brokenFiles.length;
  succeeded = report.success;
} catch (problem) {
  console.log(`no report of the tests: ${problem.message}`);
}
const fine = succeeded && exitCode === '0' && passed > 0;
if (!fine && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(fine && failed === 0 ? 0 : 1);
