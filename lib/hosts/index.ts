export { hasOwnPrices, hourlyCost, PRICES_AS_OF } from './cost';
export type { BilledHost } from './cost';
export { costReport } from './cost-report';
export type { CostGrouping, CostReport, CostRow } from './cost-report';
export { Hosts } from './hosts';
export { collectGarbage } from './reaping/collect';
export type { Collected, CollectedLeftover, CollectedTask, CollectOptions } from './reaping/collect';
export type { AwsSettings } from './clients';
export * from './types';
