/** Sessions with the SSM agent in a task: a client of the data channel that ECS Exec and Session Manager speak. */
export { openSession } from './open-session';
export { systemClock } from './channel/clock';
export type { Clock } from './channel/clock';
export { isMngrFargateError, MngrFargateError } from '../contract/errors';
export type { MngrFargateErrorCode } from '../contract/errors';
export type {
  CommandRequest,
  CommandSession,
  GrantedCommandRequest,
  GrantedPortRequest,
  GrantedSshRequest,
  OpenSessionOptions,
  PortRequest,
  PortSession,
  SessionClients,
  SessionEnd,
  SessionGrant,
  SessionOf,
  SessionRequest,
  SshRequest,
  SshSession,
  TerminalSize,
} from './types';
