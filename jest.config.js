const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.tsx?$': ['@swc/jest', { jsc: { target: 'es2022' } }] },
  // `import()` names the file that TypeScript will make of a module.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'] },
  setupFiles: ['<rootDir>/lib/cli/quiet-aws-sdk.ts'],
  clearMocks: true,
  // More than a small machine has cores: most suites wait for programs, and use a fifth of one.
  maxWorkers: Math.max(4, availableParallelism() - 1),
  testSequencer: '<rootDir>/test/support/run/longest-first.js',
  // Real hosts on a machine that is five times slower than a developer's, and busy.
  testTimeout: 180_000,
  // A test that failed may have left a host running, whose pipes would keep the run from ever ending.
  forceExit: true,
  reporters: ['default', '<rootDir>/test/support/run/closing-reporter.js'],
};
