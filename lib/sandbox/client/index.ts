/** The client of the sandbox service (docs/sandbox-clients.md). It uses nothing else of this package, and no other package. */
export { Sandbox, SandboxClient } from './sandbox';
export type { ListFilter } from './sandbox';
export { Command } from './command';
export type { CommandResult, CommandSignal, ExecOptions } from './command';
export type { CommandExit, OutputChunk } from './output';
export type { FileChange, Files, Mode } from './files';
export type { Git } from './git';
export type { PortLink, Ports } from './ports';
export { Terminal } from './terminal';
export type { TerminalOptions } from './terminal';
export type { Body } from './http';
export type { ConnectionOptions, WebSocketConstructor } from './settings';
export * from './errors';
export type * from './api-types';
