/** Prints what the run skipped and why, then the closing line `N passed, N failed, N skipped`. */
module.exports = class SkipsReporter {
  onRunComplete(_contexts, results) {
    const skipped = new Map();
    for (const file of results.testResults) {
      for (const test of file.testResults) {
        if (test.status !== 'pending') continue;
        const title = test.ancestorTitles.find((text) => text.includes('[skipped: ')) ?? test.fullName;
        skipped.set(title, (skipped.get(title) ?? 0) + 1);
      }
    }
    const suitesThatFailed = results.testResults.filter((file) => file.testExecError !== undefined).length;
    if (skipped.size > 0) console.log('\nSkipped here:');
    for (const [title, count] of skipped) console.log(`  ${count} of ${title}`);
    const failed = results.numFailedTests + suitesThatFailed;
    const tail = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    console.log(`\n${results.numPassedTests} passed, ${failed} failed${tail}`);
  }
};
