import { ECSClient } from '@aws-sdk/client-ecs';
import { sdkOptions } from '../../lib/aws/sdk-options';
import { EcsClient, REAPER_SHARE } from '../../lib/aws/ecs-client';
import { ReaperFunction } from './reaper-function';
import type { InvocationContext, ReaperAnswer, ReaperEvent } from './reaper-function';
import { readSettings } from './settings';

let reaper: ReaperFunction | undefined;

/** Writes straight to the log: `console.log` would prepend a time and an id, and metrics must be the whole line. */
const write = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const makeReaper = (): ReaperFunction =>
  new ReaperFunction(
    readSettings(process.env),
    new EcsClient({ ecs: new ECSClient(sdkOptions('mngr-fargate-reaper')) }, REAPER_SHARE),
    write,
  );

/** Entry point of the Lambda function: EventBridge's schedule, ECS's task state events, or a manual invocation. */
export const handler = (event: ReaperEvent, context: InvocationContext): Promise<ReaperAnswer | undefined> => {
  reaper ??= makeReaper();
  return reaper.handle(event, context);
};
