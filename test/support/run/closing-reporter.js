const { relative } = require('node:path');

const SLOWEST = 10;

/**
 * Prints the slowest suites, what the run skipped and why, what passed only when it was repeated and what it had failed with, then the
 * closing line `N passed, N failed, N skipped`.
 */
module.exports = class ClosingReporter {
  constructor({ rootDir }) {
    this.rootDir = rootDir;
  }

  onRunComplete(_contexts, results) {
    if (results.testResults.length > SLOWEST) this.printSlowest(results.testResults);
    const tests = results.testResults.flatMap((file) => file.testResults);
    const skipped = new Map();
    for (const test of tests.filter(({ status }) => status === 'pending')) {
      const title = test.ancestorTitles.find((text) => text.includes('[skipped: ')) ?? test.fullName;
      skipped.set(title, (skipped.get(title) ?? 0) + 1);
    }
    if (skipped.size > 0) console.log('\nSkipped here:');
    for (const [title, count] of skipped) console.log(`  ${count} of ${title}`);

    const repeated = tests.filter(({ status, invocations }) => status === 'passed' && invocations > 1);
    if (repeated.length > 0) console.log('\nPassed only when repeated:');
    for (const { fullName, retryReasons } of repeated) {
      const lines = retryReasons.flatMap((reason) => reason.split('\n'));
      console.log([`  ${fullName}`, ...lines.filter((line) => !line.includes('/node_modules/'))].join('\n    '));
    }

    const suitesThatFailed = results.testResults.filter((file) => file.testExecError !== undefined).length;
    const failed = results.numFailedTests + suitesThatFailed;
    const tail = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    console.log(`\n${results.numPassedTests} passed, ${failed} failed${tail}`);
  }

  printSlowest(files) {
    console.log('\nThe slowest suites, in seconds:');
    const slowest = [...files].sort((a, b) => b.perfStats.runtime - a.perfStats.runtime).slice(0, SLOWEST);
    for (const { perfStats, testFilePath } of slowest) {
      const seconds = (perfStats.runtime / 1000).toFixed(0).padStart(6);
      console.log(`${seconds}  ${relative(this.rootDir, testFilePath)}`);
    }
  }
};
