import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { LocalEndpoint } from './local-endpoint';
import type { TaskRuntime } from '../../../lib/local/runtimes/runtime';
import { resourcesOfType } from '../../../lib/local/template/stack';
import type { Existing } from './operation-calls';

/** A running task of the endpoint's stack, and the names of what the stack has. */
export async function existingOf(local: LocalEndpoint<TaskRuntime>): Promise<Existing> {
  const first = (type: string): string => resourcesOfType(local.world.stack, type)[0]?.physicalId ?? '';
  const cluster = first('AWS::ECS::Cluster');
  const subnet = first('AWS::EC2::Subnet');
  const taskDefinition = first('AWS::ECS::TaskDefinition').split('/').at(-1)?.split(':')[0] ?? '';
  const ecs = new ECSClient(local.client);
  const { tasks = [] } = await ecs.send(
    new RunTaskCommand({
      cluster,
      taskDefinition,
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets: [subnet] } },
    }),
  );
  ecs.destroy();
  return {
    cluster,
    subnet,
    taskDefinition,
    taskArn: tasks[0]?.taskArn ?? '',
    logGroup: first('AWS::Logs::LogGroup'),
    stackName: local.world.stack.name,
    roleArn: local.outputs.OperatorRoleArn ?? '',
  };
}
