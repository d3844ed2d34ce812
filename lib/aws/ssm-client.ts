/**
 * A module of its own for `import()`: a bundle keeps only the named exports of what a module imports, but all of a package
 * that is itself imported with `import()`.
 */
export { SSMClient } from '@aws-sdk/client-ssm';
