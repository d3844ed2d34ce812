import { AwsError } from '../wire/aws-error';
import type { Service } from '../services/service';
import { TokenBucket } from './token-bucket';
import type { BucketLimits } from './token-bucket';

/**
 * Request limits per account and region as AWS publishes them: ECS developer guide, "Request throttling for the Amazon
 * ECS API" and "Fargate throttling quotas"; EC2 API reference, "Request throttling" (non-mutating, filtered or not).
 */
export interface ThrottleGroup {
  readonly name: string;
  /** `service:Operation` */
  readonly operations: readonly string[];
  readonly limits: BucketLimits;
}

export const PUBLISHED_THROTTLES: readonly ThrottleGroup[] = [
  { name: 'run', operations: ['ecs:RunTask'], limits: { burst: 20, perSecond: 20 } },
  {
    name: 'cluster-resource-modify',
    operations: ['ecs:RunTask', 'ecs:StopTask', 'ecs:ExecuteCommand', 'ecs:StartTask'],
    limits: { burst: 100, perSecond: 40 },
  },
  {
    name: 'cluster-resource-read',
    operations: ['ecs:DescribeTasks', 'ecs:ListTasks'],
    limits: { burst: 100, perSecond: 20 },
  },
  { name: 'tag', operations: ['ecs:TagResource', 'ecs:UntagResource'], limits: { burst: 20, perSecond: 10 } },
  { name: 'list-tags', operations: ['ecs:ListTagsForResource'], limits: { burst: 50, perSecond: 20 } },
  { name: 'register', operations: ['ecs:RegisterTaskDefinition'], limits: { burst: 20, perSecond: 1 } },
  { name: 'describe-definition', operations: ['ecs:DescribeTaskDefinition'], limits: { burst: 50, perSecond: 20 } },
  { name: 'describe-cluster', operations: ['ecs:DescribeClusters'], limits: { burst: 50, perSecond: 20 } },
  {
    name: 'ec2-describe',
    operations: [
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeVpcs',
    ],
    limits: { burst: 100, perSecond: 20 },
  },
];

/** Tasks that Fargate launches, on demand and Spot each. */
export const FARGATE_LAUNCHES: BucketLimits = { burst: 100, perSecond: 20 };

/** Refuses calls beyond AWS's published limits, while switched on. */
export class Throttles {
  private groups: readonly { readonly operations: readonly string[]; readonly bucket: TokenBucket }[] = [];
  private launches = new Map<string, TokenBucket>();
  private on = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Full buckets. `scale` multiplies every limit. */
  enable(scale = 1): void {
    const scaled = ({ burst, perSecond }: BucketLimits): BucketLimits => ({
      burst: Math.max(1, burst * scale),
      perSecond: perSecond * scale,
    });
    this.groups = PUBLISHED_THROTTLES.map(({ operations, limits }) => ({
      operations,
      bucket: new TokenBucket(scaled(limits), this.now),
    }));
    this.launches = new Map(
      ['FARGATE', 'FARGATE_SPOT'].map((provider) => [provider, new TokenBucket(scaled(FARGATE_LAUNCHES), this.now)]),
    );
    this.on = true;
  }

  disable(): void {
    this.groups = [];
    this.launches = new Map();
    this.on = false;
  }

  get enabled(): boolean {
    return this.on;
  }

  /** Throws the service's throttling error when the call is one too many. */
  admit(service: Service, operation: string): void {
    const name = `${service.signingName}:${operation}`;
    for (const { operations, bucket } of this.groups) {
      if (operations.includes(name) && !bucket.take()) throw throttled(service.signingName);
    }
  }

  /** Throws when Fargate would launch these tasks too fast. */
  admitLaunch(provider: string, count: number): void {
    if (this.launches.get(provider)?.take(count) === false) throw throttled('ecs');
  }
}

/** Each API's own name for it; the SDKs' retry modes know all of them. */
export function throttled(service: string): AwsError {
  if (service === 'ec2') return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', { status: 503 });
  if (service === 'ecs' || service === 'logs') return new AwsError('ThrottlingException', 'Rate exceeded');
  return new AwsError('Throttling', 'Rate exceeded');
}
