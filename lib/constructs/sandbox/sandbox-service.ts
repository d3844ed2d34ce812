import { Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { ISubnet } from 'aws-cdk-lib/aws-ec2';
import type { CfnService } from 'aws-cdk-lib/aws-ecs';
import {
  AvailabilityZoneRebalancing,
  Cluster,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  LogDrivers,
  OperatingSystemFamily,
  Secret as ContainerSecret,
} from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { environmentVariableOf } from '../../contract/provider-config';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';
import { AGENT_CONTAINER_NAME } from '../environment/host-definition';
import type { IAgentImage } from '../environment/agent-image';
import { ExecutionRole } from '../environment/execution-role';
import { SandboxAlarms } from './sandbox-alarms';
import type { SandboxEnvironment } from './sandbox-environment';
import { SandboxFileSystem } from './sandbox-file-system';
import { SandboxLoadBalancer } from './sandbox-load-balancer';
import { SandboxServiceImage } from './sandbox-service-image';

export interface SandboxServiceProps {
  /** Where sandboxes run; the service runs in the same network and cluster. */
  readonly sandboxes: SandboxEnvironment;

  /** Subnets of the service's task and of its file system: private, with a route to AWS. */
  readonly subnets: ISubnet[];

  /** Subnets of the load balancer, in two zones at least: public ones with `internetFacing`. */
  readonly loadBalancerSubnets: ISubnet[];

  /**
   * Whether the service has public addresses.
   *
   * @default true
   */
  readonly internetFacing?: boolean;

  /** Certificate of the service's name, in the same region. */
  readonly certificate: ICertificate;

  /** Networks that may reach the service, in CIDR notation, IPv4 or IPv6. */
  readonly sources: string[];

  /**
   * Name of the service, one that the certificate is for.
   *
   * @default - the load balancer's own name, which no certificate is for
   */
  readonly domainName?: string;

  /**
   * What the service runs.
   *
   * @default - built from this package
   */
  readonly image?: IAgentImage;

  /**
   * Sandboxes that may be there at once.
   *
   * @default 50
   */
  readonly maxSessions?: number;

  /**
   * How long a session lives without use, unless it says otherwise.
   *
   * @default Duration.minutes(30)
   */
  readonly defaultTtl?: Duration;

  /**
   * Where alarms are announced.
   *
   * @default - there are no alarms
   */
  readonly alarmTopic?: ITopic;

  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

export const SANDBOX_SERVICE_CONTAINER = 'service';
export const SANDBOX_SERVICE_PORT = 8080;
const DATA = '/data';
/** Of the service's task. A vCPU half and a gibibyte serve a thousand sessions that aren't all busy. */
const SIZE = { cpu: 512, memoryLimitMiB: 1024 } as const;

/**
 * The sandbox service as one Fargate task behind HTTPS. Its database is a file that one process may have, so a deployment
 * stops the old task before it starts the new one; sandboxes and what runs in them go on meanwhile.
 */
export class SandboxService extends Construct {
  readonly service: FargateService;
  readonly taskDefinition: FargateTaskDefinition;
  readonly fileSystem: SandboxFileSystem;
  readonly loadBalancer: SandboxLoadBalancer;
  readonly logGroup: ILogGroup;

  /** Undefined without a topic. */
  readonly alarms: SandboxAlarms | undefined;

  /** The first key of the service, an admin's. */
  readonly keySecret: Secret;

  /** `https://…` */
  readonly url: string;

  constructor(scope: Construct, id: string, props: SandboxServiceProps) {
    super(scope, id);
    const { sandboxes, subnets } = props;
    const { vpc } = sandboxes.network;
    const name = `${sandboxes.taskDefinition.family}-service`;

    this.logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.TWO_WEEKS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.fileSystem = new SandboxFileSystem(this, 'Database', { vpc, subnets });
    this.keySecret = this.secret('Key', 'The first key of the sandbox service, an admin of its default tenant');
    this.taskDefinition = this.makeTaskDefinition(name, props);

    const group = sandboxes.serviceSecurityGroup;
    this.service = new FargateService(this, 'Service', {
      // An existing cluster is known by its name alone, and nothing else of it is used.
      cluster: Cluster.fromClusterAttributes(this, 'Cluster', {
        clusterName: sandboxes.cluster.clusterName,
        clusterArn: sandboxes.cluster.clusterArn,
        vpc,
      }),
      taskDefinition: this.taskDefinition,
      platformVersion: FargatePlatformVersion.VERSION1_4,
      desiredCount: 1,
      // Never two at once: the second would find the database locked and end.
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      circuitBreaker: { rollback: true },
      healthCheckGracePeriod: Duration.minutes(2),
      vpcSubnets: { subnets },
      securityGroups: [group],
      assignPublicIp: false,
    });
    this.service.node.addDependency(this.fileSystem);
    // "Dependency already enforced": the CDK makes it wait for the target group, which it names.
    ignoreCfnLintRule(this.service.node.findChild('Service') as CfnService, 'W3005');
    this.fileSystem.fileSystem.connections.allowDefaultPortFrom(group, 'The sandbox service');

    this.loadBalancer = new SandboxLoadBalancer(this, 'Front', {
      vpc,
      subnets: props.loadBalancerSubnets,
      internetFacing: props.internetFacing ?? true,
      certificate: props.certificate,
      sources: props.sources,
      service: this.service,
      containerName: SANDBOX_SERVICE_CONTAINER,
      port: SANDBOX_SERVICE_PORT,
    });
    this.url = `https://${props.domainName ?? this.loadBalancer.loadBalancer.loadBalancerDnsName}`;
    if (props.alarmTopic !== undefined) {
      this.alarms = new SandboxAlarms(this, 'Alarms', {
        name,
        topic: props.alarmTopic,
        service: this.service,
        loadBalancer: this.loadBalancer.loadBalancer,
        targetGroup: this.loadBalancer.targetGroup,
        fileSystem: this.fileSystem.fileSystem,
      });
    }
  }

  private makeTaskDefinition(family: string, props: SandboxServiceProps): FargateTaskDefinition {
    const { sandboxes } = props;
    const { architecture } = sandboxes.taskDefinition;
    const image = props.image ?? new SandboxServiceImage(this, 'Image', { architecture });
    const taskRole = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `The sandbox service of ${sandboxes.taskDefinition.family}`,
      managedPolicies: [sandboxes.servicePolicy],
    });
    this.fileSystem.grant(taskRole);
    const definition = new FargateTaskDefinition(this, 'Definition', {
      ...SIZE,
      family,
      runtimePlatform: { cpuArchitecture: architecture, operatingSystemFamily: OperatingSystemFamily.LINUX },
      taskRole,
      executionRole: new ExecutionRole(this, 'ExecutionRole'),
    });
    definition.addVolume({
      name: 'data',
      efsVolumeConfiguration: {
        fileSystemId: this.fileSystem.fileSystem.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: this.fileSystem.accessPoint.accessPointId, iam: 'ENABLED' },
      },
    });
    definition.addVolume({ name: 'tmp' });
    const container = definition.addContainer(SANDBOX_SERVICE_CONTAINER, {
      containerName: SANDBOX_SERVICE_CONTAINER,
      image: image.containerImage,
      essential: true,
      readonlyRootFilesystem: true,
      user: '1000:1000',
      environment: this.environment(props),
      secrets: {
        SANDBOX_SECRET: ContainerSecret.fromSecretsManager(this.keySecret),
        SANDBOX_MASTER_SECRET: ContainerSecret.fromSecretsManager(
          this.secret('Master', 'What the sandbox service derives tokens of engines and the keys of its state from'),
        ),
      },
      portMappings: [{ containerPort: SANDBOX_SERVICE_PORT, name: 'http' }],
      // Time to answer what is being answered, and to close the database.
      stopTimeout: Duration.minutes(1),
      healthCheck: {
        command: [
          'CMD',
          'node',
          '-e',
          `fetch('http://127.0.0.1:${SANDBOX_SERVICE_PORT}/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`,
        ],
        interval: Duration.seconds(15),
        startPeriod: Duration.minutes(1),
      },
      logging: LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: 'sandbox' }),
    });
    container.addMountPoints(
      { sourceVolume: 'data', containerPath: DATA, readOnly: false },
      { sourceVolume: 'tmp', containerPath: '/tmp', readOnly: false },
    );
    acknowledgeFinding(
      definition,
      'AwsSolutions-ECS2',
      'The variables say where sandboxes run and how many there may be; what is secret comes from Secrets Manager.',
    );
    return definition;
  }

  private environment({ sandboxes, maxSessions, defaultTtl }: SandboxServiceProps): Record<string, string> {
    const { network, cluster, taskDefinition, securityGroup } = sandboxes;
    return {
      SANDBOX_DATA_DIRECTORY: DATA,
      // A WAL needs memory that its users share, which an NFS has not.
      SANDBOX_JOURNAL: 'rollback',
      MAX_CONTAINERS: String(maxSessions ?? 50),
      DEFAULT_TTL_SECONDS: String((defaultTtl ?? Duration.minutes(30)).toSeconds()),
      SANDBOX_CPU_LIMIT: String(taskDefinition.cpu / 1024),
      SANDBOX_MEMORY_LIMIT: `${taskDefinition.memoryLimitMiB}m`,
      [environmentVariableOf('aws_region')]: Stack.of(this).region,
      [environmentVariableOf('ecs_cluster')]: cluster.clusterName,
      [environmentVariableOf('task_definition')]: taskDefinition.family,
      [environmentVariableOf('subnets')]: Fn.join(',', network.subnetIds),
      [environmentVariableOf('security_groups')]: securityGroup.securityGroupId,
      [environmentVariableOf('assign_public_ip')]: 'false',
      [environmentVariableOf('container_name')]: AGENT_CONTAINER_NAME,
      [environmentVariableOf('cpu')]: String(taskDefinition.cpu),
      [environmentVariableOf('memory')]: String(taskDefinition.memoryLimitMiB),
      [environmentVariableOf('default_idle_timeout')]: '0',
      [environmentVariableOf('log_group')]: taskDefinition.logGroupName,
      [environmentVariableOf('transport')]: 'direct',
    };
  }

  private secret(id: string, description: string): Secret {
    const secret = new Secret(this, id, {
      description,
      generateSecretString: { passwordLength: 43, excludePunctuation: true, includeSpace: false },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    acknowledgeFinding(
      secret,
      'AwsSolutions-SMG4',
      'Another value shuts out who has the old one, so it is changed by a person, with a deployment; callers get keys of their own.',
    );
    return secret;
  }
}
