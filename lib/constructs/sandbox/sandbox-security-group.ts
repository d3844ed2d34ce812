import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

/** What sandboxes may reach. */
export enum SandboxEgress {
  /** Everything that the subnets have a route to, as agents' hosts: package registries, repositories, the VPC. */
  ANY = 'any',

  /**
   * HTTPS alone. In subnets without a route to the internet that is the VPC's endpoints, which images and logs need, and
   * nothing beyond AWS.
   */
  HTTPS = 'https',
}

export interface SandboxSecurityGroupProps {
  /** The VPC that sandboxes run in. */
  readonly vpc: IVpc;

  /** What may enter: the group of the sandbox service. */
  readonly service: ISecurityGroup;

  /**
   * @default SandboxEgress.ANY
   */
  readonly egress?: SandboxEgress;
}

/** The sandboxes' security group: the service may enter on port 22, and nobody else on any; nor another sandbox. */
export class SandboxSecurityGroup extends SecurityGroup {
  constructor(scope: Construct, id: string, props: SandboxSecurityGroupProps) {
    const any = (props.egress ?? SandboxEgress.ANY) === SandboxEgress.ANY;
    super(scope, id, {
      vpc: props.vpc,
      description: 'Sandboxes, which only the sandbox service may enter',
      allowAllOutbound: any,
      allowAllIpv6Outbound: any ? true : undefined,
    });
    if (!any) {
      // Image layers come from S3 through a gateway endpoint, whose addresses are public ones.
      this.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS to the endpoints of AWS');
    }
    this.addIngressRule(Peer.securityGroupId(props.service.securityGroupId), Port.SSH, 'SSH from the sandbox service');
  }
}
