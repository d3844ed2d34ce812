import { AwsError } from '../../wire/aws-error';
import type { WorldPlace } from '../../world';
import type { LogStore } from './log-store';

export interface LogsContext {
  readonly logs: LogStore;
  readonly place: WorldPlace;
  /** When the stack, and so its log groups, was made. */
  readonly createdAt: Date;
}

export const invalidParameter = (message: string): AwsError => new AwsError('InvalidParameterException', message);

export const groupArn = ({ place: { region, accountId } }: LogsContext, group: string): string =>
  `arn:aws:logs:${region}:${accountId}:log-group:${group}`;

/** The group that a call names, by name or by identifier (name or ARN). Throws if it names both or neither. */
export function groupOf(request: { readonly logGroupName?: string; readonly logGroupIdentifier?: string }): string {
  const { logGroupName, logGroupIdentifier } = request;
  if (logGroupName !== undefined && logGroupIdentifier !== undefined) {
    throw invalidParameter('LogGroup name and LogGroup ARN are mutually exclusive parameters.');
  }
  const given = logGroupName ?? logGroupIdentifier;
  if (given === undefined) throw invalidParameter('Either logGroupName or logGroupIdentifier must be given.');
  return /^arn:aws:logs:[^:]*:[^:]*:log-group:([^:]+)/.exec(given)?.[1] ?? given;
}

export function requireGroup({ logs }: LogsContext, group: string): void {
  if (!logs.hasGroup(group)) {
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  }
}
