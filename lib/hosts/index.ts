export { hourlyCost, PRICES_AS_OF } from './cost';
export type { BilledHost } from './cost';
export { Hosts } from './hosts';
export type { AwsSettings } from './clients';
export * from './types';
