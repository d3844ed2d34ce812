import { setTimeout as sleep } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import { hostDrainPropertiesSchema } from '../../lib/contract/host-drain';
import { EcsClient, REAPER_SHARE } from '../../lib/aws/ecs-client';
import { sdkOptions } from '../../lib/aws/sdk-options';
import { Tasks } from '../../lib/hosts/ecs/tasks';
import { answering } from '../cloudformation/answer';
import { drain } from './drain';

/** Between two looks at hosts that are ending. */
const PAUSE_MS = 5_000;
/** Left of an invocation's time for the answer. */
const CLOSING_TIME_MS = 60_000;

const ecs = new EcsClient({ ecs: new ECSClient(sdkOptions('mngr-fargate-host-drain')) }, REAPER_SHARE);

/**
 * The physical id says whose hosts they are, so that an update with another cluster or family ends those of the old one:
 * CloudFormation then deletes the old id.
 */
export const handler = answering(async (request, context) => {
  const { Cluster, TaskFamily, Retain } = hostDrainPropertiesSchema.parse(request.ResourceProperties);
  if (request.RequestType !== 'Delete') return `${Cluster}/${TaskFamily}`;

  const physicalId = request.PhysicalResourceId ?? '';
  const [cluster, family, ...rest] = physicalId.split('/');
  // Of a Create that failed: there is nothing to end.
  if (cluster === undefined || family === undefined || rest.length > 0) return physicalId;
  const hosts = await drain(new Tasks(ecs, cluster), {
    family,
    stackId: request.StackId,
    retain: Retain,
    pause: () => sleep(PAUSE_MS),
    isOver: () => context.getRemainingTimeInMillis() < CLOSING_TIME_MS,
    tell: (line) => console.log(line),
  });
  console.log({ notice: 'drained', cluster, family, hosts });
  return physicalId;
});
