/** The local endpoint: AWS's APIs on loopback, with the product's stack deployed and its tasks run for real. */
export { describe, down, env, status, up } from './local';
export type { EndedEndpoint, LocalDescription, LocalOptions, LocalStatus, UpOptions } from './local';
export { LOCAL_DIRECTORY_VARIABLE, defaultStateDirectory } from './daemon/files';
export { startEndpoint } from './start-endpoint';
export type { StartEndpointOptions } from './start-endpoint';
export type { Endpoint, EndpointDescription } from './endpoint';
export type { Fault } from './control/faults';
export type { Delays } from './control/delays';
