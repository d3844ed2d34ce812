/** mngr's files as the launcher uses them: base directory, profile, and the `[providers.NAME]` block of config.toml. */
export { configFileOf, keyDirectoryOf, mngrBaseDirectory } from './base-directory';
export { settingsOfStack } from './deployed-stack';
export { ensureProfile, readProfile } from './profile';
export { renderProviderBlock } from './provider-block';
export type { LoadedProviderConfig, LoadRequest } from './provider-config-loader';
export { deployedSettings, loadProviderConfig } from './provider-config-loader';
export type { WriteRequest, WrittenProviderConfig } from './provider-config-writer';
export { writeProviderConfig } from './provider-config-writer';
export type { Setting, Settings } from './settings';
export { mergedSettings } from './settings';
export type { Override } from './settings-sources';
export { settingsOfOverrides } from './settings-sources';
export type { StackLookup } from './stack-lookup';
export { awsStackLookup } from './stack-lookup';
export type { StackOutputs } from './stack-outputs';
export { readOutputsFile } from './stack-outputs';
