import { DescribeTasksCommand, ExecuteCommandCommand } from '@aws-sdk/client-ecs';
import { ResumeSessionCommand, StartSessionCommand, TerminateSessionCommand } from '@aws-sdk/client-ssm';
import { MngrFargateError } from '../../contract/errors';
import { clusterNameOf } from '../../contract/task-arn';
import { awsProblem } from '../../aws/aws-errors';
import type { CommandRequest, PortRequest, SessionClients, SessionGrant, SshRequest } from '../types';
import { missingClient } from './missing-client';

/** A session that was granted, and how its target's name is found. */
export interface Granted {
  readonly grant: SessionGrant;
  readonly target: (signal: AbortSignal) => Promise<string>;
}

const SSH_PORT = 22;
/** How long the call may take that ends a session at the service. */
const TERMINATE_MS = 5_000;

/** Runs a command in a task (`ecs:ExecuteCommand`). */
export async function executeCommand(
  { cluster, task, container, command }: CommandRequest,
  { ecs }: SessionClients,
  signal: AbortSignal | undefined,
): Promise<Granted> {
  if (ecs === undefined) throw missingClient('ecs', 'starts commands');
  const started = await ecs
    .send(new ExecuteCommandCommand({ cluster, task, container, command, interactive: true }), { abortSignal: signal })
    .catch((error: unknown) => {
      throw awsProblem(error, `run a command in task ${taskIdOf(task)}`, signal);
    });
  const grant = checkedGrant(started.session ?? {});
  const name = started.containerName ?? container;
  return { grant, target: (abort) => targetOf({ cluster, task, container: name }, ecs, abort) };
}

/** Starts a session to a port (`ssm:StartSession`). */
export async function startPortSession(
  request: PortRequest | SshRequest,
  { ssm }: SessionClients,
  signal: AbortSignal | undefined,
): Promise<Granted> {
  if (ssm === undefined) throw missingClient('ssm', 'starts port and SSH sessions');
  const started = await ssm
    .send(new StartSessionCommand({ Target: request.target, ...documentOf(request) }), { abortSignal: signal })
    .catch((error: unknown) => {
      throw awsProblem(error, `start a session to ${request.target}`, signal);
    });
  const { SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue } = started;
  const grant = checkedGrant({ sessionId, streamUrl, tokenValue });
  return { grant, target: () => Promise.resolve(request.target) };
}

function documentOf(request: PortRequest | SshRequest) {
  if (request.kind === 'ssh') {
    return { DocumentName: 'AWS-StartSSHSession', Parameters: { portNumber: [String(request.port ?? SSH_PORT)] } };
  }
  const { port, host } = request;
  // The local port is for the official client's own listener. Nothing listens here.
  const ports = { portNumber: [String(port)], localPortNumber: ['0'] };
  return host === undefined
    ? { DocumentName: 'AWS-StartPortForwardingSession', Parameters: ports }
    : { DocumentName: 'AWS-StartPortForwardingSessionToRemoteHost', Parameters: { ...ports, host: [host] } };
}

/** The token of a new connection to a session; undefined where the session is gone. */
export async function resumeSession(
  sessionId: string,
  ssm: NonNullable<SessionClients['ssm']>,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const resumed = await ssm.send(new ResumeSessionCommand({ SessionId: sessionId }), { abortSignal: signal });
    return resumed.TokenValue || undefined;
  } catch (error) {
    if ((error as Error).name === 'DoesNotExistException') return undefined;
    throw awsProblem(error, `resume session ${sessionId}`, signal);
  }
}

/** Ends a session at the service. What fails here, the session's idle time-out ends. */
export async function terminateSession(sessionId: string, ssm: SessionClients['ssm']): Promise<void> {
  if (ssm === undefined) return;
  const command = new TerminateSessionCommand({ SessionId: sessionId });
  await ssm.send(command, { abortSignal: AbortSignal.timeout(TERMINATE_MS) }).catch(() => undefined);
}

/** `ecs:CLUSTER_TASK_RUNTIME-ID`, as the agent calls itself. */
async function targetOf(
  { cluster, task, container }: Pick<CommandRequest, 'cluster' | 'task' | 'container'>,
  ecs: NonNullable<SessionClients['ecs']>,
  signal: AbortSignal,
): Promise<string> {
  const described = await ecs
    .send(new DescribeTasksCommand({ cluster, tasks: [task] }), { abortSignal: signal })
    .catch((error: unknown) => {
      throw awsProblem(error, `describe task ${taskIdOf(task)}`, signal);
    });
  const containers = described.tasks?.[0]?.containers ?? [];
  const found = container === undefined ? containers[0] : containers.find(({ name }) => name === container);
  if (found?.runtimeId === undefined)
    throw new MngrFargateError(
      'not-found',
      `task ${taskIdOf(task)} has no running container ${container ?? ''}`.trim(),
    );
  return `ecs:${clusterNameOf(cluster)}_${taskIdOf(task)}_${found.runtimeId}`;
}

const taskIdOf = (task: string): string => task.split('/').pop() as string;

function checkedGrant({ sessionId, streamUrl, tokenValue }: Partial<SessionGrant>): SessionGrant {
  if (!sessionId || !streamUrl || !tokenValue)
    throw new MngrFargateError('failed', 'the response from AWS lacks the session, its URL or its token');
  return { sessionId, streamUrl, tokenValue };
}
