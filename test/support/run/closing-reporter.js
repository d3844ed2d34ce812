const { relative } = require('node:path');
const secondTries = require('./second-tries.json');

const SLOWEST = 10;

/**
 * Prints the slowest suites, what the run skipped and why, what passed only when it was repeated and what it had failed
 * with, then the closing line `N passed, N failed, N skipped`. A test that passed only when repeated has failed, unless
 * second-tries.json lists it.
 */
module.exports = class ClosingReporter {
  constructor({ rootDir }) {
    this.rootDir = rootDir;
  }

  onRunComplete(_contexts, results) {
    const files = results.testResults;
    if (files.length > SLOWEST) this.printSlowest(files);
    printSkipped(files.flatMap((file) => file.testResults));
    const unlisted = this.printRepeated(files);
    if (unlisted > 0) this.error = new Error(`${unlisted} tests passed only when repeated`);

    const suitesThatFailed = files.filter((file) => file.testExecError !== undefined).length;
    const failed = results.numFailedTests + suitesThatFailed + unlisted;
    const tail = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    console.log(`\n${results.numPassedTests - unlisted} passed, ${failed} failed${tail}`);
  }

  /** Jest fails a run of which a reporter has an error. */
  getLastError() {
    return this.error;
  }

  printSlowest(files) {
    console.log('\nThe slowest suites, in seconds:');
    const slowest = [...files].sort((a, b) => b.perfStats.runtime - a.perfStats.runtime).slice(0, SLOWEST);
    for (const { perfStats, testFilePath } of slowest) {
      const seconds = (perfStats.runtime / 1000).toFixed(0).padStart(6);
      console.log(`${seconds}  ${relative(this.rootDir, testFilePath)}`);
    }
  }

  /** Returns how many of the repeated tests are not listed. */
  printRepeated(files) {
    const repeated = files.flatMap(({ testFilePath, testResults }) => {
      const listed = secondTries[relative(this.rootDir, testFilePath)] ?? {};
      const tests = testResults.filter(({ status, invocations }) => status === 'passed' && invocations > 1);
      return tests.map(({ fullName, retryReasons }) => ({ fullName, retryReasons, cause: listed[fullName] }));
    });
    if (repeated.length > 0) console.log('\nPassed only when repeated:');
    for (const { fullName, retryReasons, cause } of repeated) {
      const lines = retryReasons.flatMap((reason) => reason.split('\n'));
      const shown = lines.filter((line) => !line.includes('/node_modules/'));
      console.log([`  ${fullName}`, cause ?? 'not in second-tries.json', ...shown].join('\n    '));
    }
    return repeated.filter(({ cause }) => cause === undefined).length;
  }
};

function printSkipped(tests) {
  const skipped = new Map();
  for (const test of tests.filter(({ status }) => status === 'pending')) {
    const title = test.ancestorTitles.find((text) => text.includes('[skipped: ')) ?? test.fullName;
    skipped.set(title, (skipped.get(title) ?? 0) + 1);
  }
  if (skipped.size > 0) console.log('\nSkipped here:');
  for (const [title, count] of skipped) console.log(`  ${count} of ${title}`);
}
