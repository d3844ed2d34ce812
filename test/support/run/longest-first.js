const { relative } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');
const SECONDS = require('./suite-seconds.json');

/**
 * Starts the suites that take longest first, so that none of them runs alone at the end. Their times are those of this
 * machine's last run where Jest has kept them, else those of suite-seconds.json, which names the slow ones.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => seconds(b) - seconds(a));
  }
};

const seconds = ({ duration, path, context }) =>
  duration === undefined ? (SECONDS[relative(context.config.rootDir, path)] ?? 0) : duration / 1000;
