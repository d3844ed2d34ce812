import * as sdk from '@aws-sdk/client-ssm';
import { AwsError } from '../../wire/aws-error';
import { awsJson11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import { missingMembersText } from '../missing-members';
import type { Service } from '../service';
import { dataChannelRoute } from './data-channel-route';
import { describeSessions } from './describe-sessions';
import { sessionControlRoutes } from './session-controls';
import { resumeSession, terminateSession } from './session-operations';
import { sessions } from './sessions';
import { startSession } from './start-session';

/** AWS Systems Manager, as far as Session Manager's sessions into ECS tasks go. */
export function ssmService(world: World): Service {
  const registry = world.part(sessions);
  return {
    signingName: 'ssm',
    protocol: awsJson11({ targetPrefix: 'AmazonSSM' }),
    operations: operationsOf(sdk),
    errors: {
      missingMembers: (paths) => new AwsError('ValidationException', missingMembersText(paths)),
      accessDenied: (message) => new AwsError('AccessDeniedException', message),
      throttled: () => new AwsError('ThrottlingException', 'Rate exceeded'),
    },
    trailed: new Set(['StartSession', 'ResumeSession', 'TerminateSession']),
    upgrades: [dataChannelRoute(world, registry)],
    controls: sessionControlRoutes(world),
    handlers: {
      StartSession: startSession(world),
      DescribeSessions: describeSessions(registry),
      ResumeSession: resumeSession(world.place, registry),
      TerminateSession: terminateSession(world.place, registry),
    },
  };
}
