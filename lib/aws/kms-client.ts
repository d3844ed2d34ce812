/** A module of its own for `import()`, as ssm-client.ts. */
export { KMSClient } from '@aws-sdk/client-kms';
