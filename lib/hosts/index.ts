export { hasOwnPrices, hourlyCost, PRICES_AS_OF } from './model/cost';
export type { BilledHost } from './model/cost';
export { costReport } from './model/cost-report';
export type { CostGrouping, CostReport, CostRow } from './model/cost-report';
export { Hosts } from './hosts';
export { forgetTasks } from './lifecycle/records';
export { collectGarbage } from './reaping/collect';
export type { Collected, CollectedLeftover, CollectedTask, CollectOptions } from './reaping/collect';
export * from './model/types';
