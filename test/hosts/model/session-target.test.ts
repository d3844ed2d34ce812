import type { Task } from '@aws-sdk/client-ecs';
import { sessionTargetOf } from '../../../lib/hosts/model/session-target';

const task = (agent: object | undefined, others: Partial<Task> = {}): Task => ({
  taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/0123456789abcdef',
  clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/mngr',
  enableExecuteCommand: true,
  lastStatus: 'RUNNING',
  containers: [
    { name: 'sidecar', runtimeId: '0123456789abcdef-1111111111' },
    {
      name: 'agent',
      runtimeId: '0123456789abcdef-2222222222',
      managedAgents: agent === undefined ? [] : [{ name: 'ExecuteCommandAgent', ...agent }],
    },
  ],
  ...others,
});

test('a session goes to the container of the agents', () => {
  expect(sessionTargetOf(task({ lastStatus: 'RUNNING' }), 'agent')).toBe(
    'ecs:mngr_0123456789abcdef_0123456789abcdef-2222222222',
  );
});

test.each([
  ['an agent that starts', task({ lastStatus: 'PENDING' }), { problem: 'its agent is PENDING', lasting: false }],
  ['no agent yet', task(undefined), { problem: 'its agent is not running yet', lasting: false }],
  [
    'an agent that has stopped',
    task({ lastStatus: 'STOPPED', reason: 'it crashed' }),
    { problem: 'its agent has stopped (it crashed)', lasting: true },
  ],
  [
    'a task without the agent',
    task(undefined, { enableExecuteCommand: false }),
    { problem: 'its task was started without the agent of ECS Exec', lasting: true },
  ],
  [
    'a task that has stopped',
    task(undefined, { lastStatus: 'STOPPED' }),
    { problem: 'its task has stopped', lasting: true },
  ],
])('%s has no session', (_, described, expected) => {
  expect(sessionTargetOf(described, 'agent')).toEqual(expected);
});
