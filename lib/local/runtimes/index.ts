export { chooseRuntime } from './choice';
export type { RuntimeChoice } from './choice';
export { ContainerRuntime } from './container';
export { findEngine } from './engine';
export { missingPrograms, packageSource } from './prerequisites';
export { ProcessRuntime } from './process';
export { chooseRuntimeWithImages } from './with-images';
export * from './runtime';
