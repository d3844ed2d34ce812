import type { InterfaceVpcEndpointAwsService, ISubnet, Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService as Service,
  Peer,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface PrivateEndpointsProps {
  /** The VPC that gets the endpoints. */
  readonly vpc: Vpc;

  /** The VPC's IPv4 network; HTTPS from here reaches the endpoints. */
  readonly vpcCidr: string;

  /** Subnets that hold the endpoints' network interfaces. */
  readonly subnets: ISubnet[];

  /**
   * AWS services in addition to those that every host needs.
   *
   * @default - none
   */
  readonly services?: InterfaceVpcEndpointAwsService[];
}

/** The services that a Fargate host without an internet route calls: image pull, logs, and the channel of ECS Exec. */
const HOST_SERVICES: Readonly<Record<string, InterfaceVpcEndpointAwsService>> = {
  EcrApi: Service.ECR,
  EcrDocker: Service.ECR_DOCKER,
  Logs: Service.CLOUDWATCH_LOGS,
  Ssm: Service.SSM,
  SsmMessages: Service.SSM_MESSAGES,
};

/**
 * VPC endpoints that let hosts run in subnets without any route to the internet. Image layers come from S3, through a
 * gateway endpoint that costs nothing; each interface endpoint is billed per hour and availability zone.
 */
export class PrivateEndpoints extends Construct {
  /** In front of every interface endpoint; admits HTTPS from the VPC. */
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: PrivateEndpointsProps) {
    super(scope, id);
    const { vpc, subnets } = props;

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'AWS service endpoints of the mngr hosts',
      allowAllOutbound: false,
    });
    this.securityGroup.addIngressRule(Peer.ipv4(props.vpcCidr), Port.tcp(443), 'HTTPS from the VPC');

    vpc.addGatewayEndpoint('S3Endpoint', { service: GatewayVpcEndpointAwsService.S3, subnets: [{ subnets }] });

    const extra = (props.services ?? []).map((service): [string, InterfaceVpcEndpointAwsService] => [
      service.shortName.replace(/[^A-Za-z0-9]/g, ''),
      service,
    ]);
    for (const [name, service] of [...Object.entries(HOST_SERVICES), ...extra]) {
      vpc.addInterfaceEndpoint(`${name}Endpoint`, {
        service,
        subnets: { subnets },
        securityGroups: [this.securityGroup],
        open: false,
      });
    }
  }
}
