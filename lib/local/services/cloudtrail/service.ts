import * as sdk from '@aws-sdk/client-cloudtrail';
import { AwsError } from '../../wire/aws-error';
import { awsJson11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { WireProtocol } from '../../wire/wire-protocol';
import type { World } from '../../world';
import { missingMembersText } from '../missing-members';
import type { Service } from '../service';
import { lookupEvents } from './lookup-events';
import { trail } from './trail';

/** As JavaScript's SDK names operations. */
const SHORT = awsJson11({ targetPrefix: 'CloudTrail_20131101' });
/** As the AWS CLI does. */
const LONG = awsJson11({ targetPrefix: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101' });

const protocol: WireProtocol = { ...SHORT, serves: (target) => SHORT.serves(target) || LONG.serves(target) };

/** AWS CloudTrail: the event history, which has the calls that start and end sessions. */
export const cloudTrailService = (world: World): Service => ({
  signingName: 'cloudtrail',
  protocol,
  operations: operationsOf(sdk),
  errors: {
    missingMembers: (paths) => new AwsError('ValidationException', missingMembersText(paths)),
    accessDenied: (message) => new AwsError('AccessDeniedException', message),
    throttled: () => new AwsError('ThrottlingException', 'Rate exceeded'),
  },
  // CloudTrail API, LookupEvents: two per second, per account and region.
  throttles: [{ name: 'lookup', operations: ['cloudtrail:LookupEvents'], limits: { burst: 2, perSecond: 2 } }],
  handlers: { LookupEvents: lookupEvents(world.part(trail)) },
});
