export * from './store';
export { SqliteStore } from './sqlite/sqlite-store';
export type { SqliteOptions } from './sqlite/open';
