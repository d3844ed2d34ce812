/** The launcher library: hosts on ECS Fargate, without the CLI. */
export * from './hosts';
export { isMngrFargateError, MngrFargateError } from './contract/errors';
export type { MngrFargateErrorCode } from './contract/errors';
export { providerConfigSchema } from './contract/provider-config';
export type { ProviderConfig, ProviderConfigInput } from './contract/provider-config';
export { HOST_TAGS } from './contract/tags';
export { loadProviderConfig, keyDirectoryOf, mngrBaseDirectory, ensureProfile, readProfile } from './mngr';
export type { LoadedProviderConfig, LoadRequest } from './mngr';
