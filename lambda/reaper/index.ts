import { ECSClient } from '@aws-sdk/client-ecs';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ReaperFunction } from './reaper-function';
import type { InvocationContext, ReaperAnswer, ReaperEvent } from './reaper-function';
import { readSettings } from './settings';

/** Milliseconds. */
const CONNECTION_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 15_000;

let reaper: ReaperFunction | undefined;

/** Straight to the log: `console.log` would put a time and an id in front, and metrics must be the whole line. */
const write = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const makeReaper = (): ReaperFunction =>
  new ReaperFunction(
    readSettings(process.env),
    new ECSClient({
      maxAttempts: 4,
      customUserAgent: 'mngr-fargate-reaper',
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECTION_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        throwOnRequestTimeout: true,
      }),
    }),
    write,
  );

/** Entry point of the Lambda function: EventBridge's schedule, ECS's task state events, or an invocation by hand. */
export const handler = (event: ReaperEvent, context: InvocationContext): Promise<ReaperAnswer | undefined> => {
  reaper ??= makeReaper();
  return reaper.handle(event, context);
};
