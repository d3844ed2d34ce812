/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.tsx?$': ['@swc/jest', { jsc: { target: 'es2022' } }] },
  clearMocks: true,
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/support/skips-reporter.js'],
};
