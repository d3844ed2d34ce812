import type { ThrottleGroup } from '../../control/throttles';

/** EC2 API reference, "Request throttling": non-mutating calls, filtered or not. */
export const EC2_THROTTLES: readonly ThrottleGroup[] = [
  {
    name: 'ec2-describe',
    operations: [
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeVpcs',
      'ec2:DescribeRouteTables',
      'ec2:DescribeVpcEndpoints',
    ],
    limits: { burst: 100, perSecond: 20 },
  },
];
