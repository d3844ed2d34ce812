import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { ApplicationLoadBalancer, ApplicationProtocol, SslPolicy } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';
import { distinctCidrs, parseCidr } from '../environment/cidr';

export interface SandboxLoadBalancerProps {
  readonly vpc: IVpc;

  /** Subnets of the load balancer, in two zones at least: public ones with `internetFacing`. */
  readonly subnets: ISubnet[];

  /** Whether it has public addresses. */
  readonly internetFacing: boolean;

  /** Certificate of the service's name, in the same region. */
  readonly certificate: ICertificate;

  /** Networks that may reach the service, in CIDR notation, IPv4 or IPv6. An address alone stands for itself. */
  readonly sources: string[];

  /** The service that it stands before. */
  readonly service: FargateService;
  readonly containerName: string;
  readonly port: number;
}

/** The longest that ELB keeps a connection on which nobody says anything (its quota is 4,000 seconds). */
const IDLE_TIMEOUT = Duration.hours(1);
const LOG_PREFIX = 'access';
const KEEP_LOGS = Duration.days(90);

/**
 * HTTPS in front of the sandbox service. There is no port 80, not even to redirect: a client that uses it has sent its key
 * in the clear before it is told better.
 */
export class SandboxLoadBalancer extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup;
  readonly accessLogs: Bucket;

  constructor(scope: Construct, id: string, props: SandboxLoadBalancerProps) {
    super(scope, id);
    const { vpc, subnets, internetFacing, service, containerName, port } = props;
    const securityGroup = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'Load balancer of the sandbox service',
      allowAllOutbound: false,
    });
    for (const { family, text, prefixLength } of distinctCidrs(props.sources.map(parseCidr))) {
      const peer = family === 'ipv4' ? Peer.ipv4(text) : Peer.ipv6(text);
      securityGroup.addIngressRule(peer, Port.HTTPS, `HTTPS from ${text}`);
      if (prefixLength === 0) {
        acknowledgeFinding(
          securityGroup,
          'AwsSolutions-EC23',
          `The deployer opened HTTPS to ${text} by name; every call but the health check and the page needs a key.`,
        );
      }
    }
    this.accessLogs = this.logBucket();
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc,
      vpcSubnets: { subnets },
      internetFacing,
      securityGroup,
      idleTimeout: IDLE_TIMEOUT,
      dropInvalidHeaderFields: true,
    });
    this.loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    this.loadBalancer.setAttribute('access_logs.s3.bucket', this.accessLogs.bucketName);
    this.loadBalancer.setAttribute('access_logs.s3.prefix', LOG_PREFIX);
    // ELB tries the bucket when it gets the attribute.
    if (this.accessLogs.policy !== undefined) this.loadBalancer.node.addDependency(this.accessLogs.policy);

    const listener = this.loadBalancer.addListener('Https', {
      protocol: ApplicationProtocol.HTTPS,
      port: 443,
      certificates: [props.certificate],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      open: false,
    });
    this.targetGroup = listener.addTargets('Service', {
      protocol: ApplicationProtocol.HTTP,
      port,
      targets: [service.loadBalancerTarget({ containerName, containerPort: port })],
      deregistrationDelay: Duration.seconds(10),
      healthCheck: {
        path: '/health',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 3,
      },
    });
  }

  /** With the policy of the log delivery service, which needs no account id of the region (ELB user guide, "Access logs"). */
  private logBucket(): Bucket {
    const { account, partition } = Stack.of(this);
    const bucket = new Bucket(this, 'AccessLogs', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      lifecycleRules: [{ expiration: KEEP_LOGS }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'DeliverAccessLogs',
        principals: [new ServicePrincipal('logdelivery.elasticloadbalancing.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`${LOG_PREFIX}/AWSLogs/${account}/*`)],
        conditions: {
          ArnLike: { 'aws:SourceArn': `arn:${partition}:elasticloadbalancing:*:${account}:loadbalancer/*` },
        },
      }),
    );
    acknowledgeFinding(bucket, 'AwsSolutions-S1', 'It holds access logs itself, and only ELB writes to it.');
    return bucket;
  }
}
