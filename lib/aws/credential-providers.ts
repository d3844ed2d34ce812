/** A module of its own for `import()`, as ssm-client.ts. */
export { fromIni, fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
