import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { AGENT_TASK_ENVIRONMENT } from '../../lib/contract/agent-task';
import type { HostProbeAnswer, HostProbeRequest } from '../../lib/contract/host-probe';
import { StackHosts } from '../../lib/hosts/lifecycle/stack-hosts';
import type { Begun, Progress, ResourceEvent, WaitingEvent } from './events';
import { AgentTaskHandlers } from './handlers';

const lambda = new LambdaClient({});

/** Invokes the function in the hosts' network. A failed invocation counts as a host that doesn't answer yet, and is retried. */
async function probe(request: HostProbeRequest): Promise<HostProbeAnswer> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: process.env[AGENT_TASK_ENVIRONMENT.probe], Payload: JSON.stringify(request) }),
  );
  const answer = JSON.parse(Payload?.transformToString() ?? '{}') as HostProbeAnswer & {
    readonly errorMessage?: string;
  };
  if (FunctionError === undefined) return answer;
  const problem = answer.errorMessage ?? FunctionError;
  return { outcome: 'silent', problem: `the probe in the hosts’ network failed: ${problem}` };
}

const handlers = new AgentTaskHandlers({
  region: process.env.AWS_REGION ?? '',
  hosts: (owner, config, provider) => new StackHosts(owner, { config, provider }),
  probe,
  log: (line) => console.log(line),
});

export const onEvent = (event: ResourceEvent): Promise<Begun> => handlers.onEvent(event);
export const isComplete = (event: WaitingEvent): Promise<Progress> => handlers.isComplete(event);
