import { Tags } from 'aws-cdk-lib';
import type { ContainerDefinition } from 'aws-cdk-lib/aws-ecs';
import { CpuArchitecture, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { IManagedPolicy, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { STACK_REVISION_TAG } from '../../contract/tags';
import type { IAgentImage } from './agent-image';
import type { IAgentTaskDefinition } from './environment-interfaces';
import { ExecutionRole } from './execution-role';
import { addHostContainer, anyRevisionArnOf, hostDefinition, hostLogGroup } from './host-definition';
import { TaskRole } from './task-role';

export interface AgentTaskDefinitionProps {
  /** What hosts run. */
  readonly image: IAgentImage;

  /**
   * Name that all revisions share; hosts are launched by it, so they run the newest revision.
   *
   * @default 'mngr-task'
   */
  readonly family?: string;

  /**
   * Must be that of the image.
   *
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * CPU units, 1024 a vCPU. A launch can ask for another size.
   *
   * | cpu | memory in MiB |
   * |---|---|
   * | 256 | 512, 1024, 2048 |
   * | 512 | 1024 to 4096 in steps of 1024 |
   * | 1024 | 2048 to 8192 in steps of 1024 |
   * | 2048 | 4096 to 16384 in steps of 1024 |
   * | 4096 | 8192 to 30720 in steps of 1024 |
   * | 8192 | 16384 to 61440 in steps of 4096 |
   * | 16384 | 32768 to 122880 in steps of 8192 |
   *
   * @default 1024
   */
  readonly cpu?: number;

  /**
   * Memory in MiB; see `cpu` for the combinations.
   *
   * @default 4096
   */
  readonly memoryLimitMiB?: number;

  /**
   * The host's disk in GiB, 21 to 200. It is lost with the host.
   *
   * @default 20, which Fargate includes
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * How long the hosts' logs are kept.
   *
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;

  /**
   * Policies for programs on the hosts, in addition to what ECS Exec needs.
   *
   * @default - none
   */
  readonly taskRolePolicies?: IManagedPolicy[];

  /**
   * Whether programs on the hosts may call Anthropic's models on Amazon Bedrock.
   *
   * @default false
   */
  readonly bedrock?: boolean;

  /**
   * Secrets that programs on the hosts may read. None is put into a container's environment.
   *
   * @default - none
   */
  readonly secrets?: ISecret[];

  /**
   * An existing role for programs on the hosts. Not with `taskRolePolicies`, `bedrock` and `secrets`. ECS tasks must be
   * allowed to assume it; for ECS Exec it needs the four `ssmmessages` actions.
   *
   * @default - a role that only has what ECS Exec needs and what the other properties add
   */
  readonly taskRole?: IRole;

  /**
   * An existing role by which ECS starts hosts. It gets permission to pull the image and write the logs, unless it is
   * imported as immutable.
   *
   * @default - a role of its own
   */
  readonly executionRole?: IRole;
}

/** The task definition of a host, with its log group and its two roles. */
export class AgentTaskDefinition extends Construct implements IAgentTaskDefinition {
  readonly taskDefinition: FargateTaskDefinition;
  readonly container: ContainerDefinition;
  readonly logGroup: ILogGroup;

  /** What programs on a host may do. */
  readonly taskRole: IRole;

  /** What ECS may do to start a host: pull the image, write the logs. */
  readonly executionRole: IRole;

  readonly grantPrincipal: IPrincipal;
  readonly family: string;
  readonly cpu: number;
  readonly memoryLimitMiB: number;
  readonly architecture: CpuArchitecture;

  constructor(scope: Construct, id: string, props: AgentTaskDefinitionProps) {
    super(scope, id);
    this.family = props.family ?? 'mngr-task';
    this.cpu = props.cpu ?? 1024;
    this.memoryLimitMiB = props.memoryLimitMiB ?? 4096;
    this.architecture = props.architecture ?? CpuArchitecture.X86_64;
    const definition = hostDefinition(this, props.ephemeralStorageGiB);
    this.logGroup = hostLogGroup(this, props.logRetention);
    this.taskRole =
      props.taskRole ??
      new TaskRole(this, 'TaskRole', {
        managedPolicies: props.taskRolePolicies,
        bedrock: props.bedrock,
        secrets: props.secrets,
      });
    this.executionRole = props.executionRole ?? new ExecutionRole(this, 'ExecutionRole');
    this.grantPrincipal = this.taskRole.grantPrincipal;

    this.taskDefinition = new FargateTaskDefinition(this, 'Definition', {
      ...definition,
      taskRole: this.taskRole,
      executionRole: this.executionRole,
    });
    Tags.of(this.taskDefinition).add(STACK_REVISION_TAG, this.family);
    this.container = addHostContainer(this.taskDefinition, props.image, this.logGroup);
  }

  get taskDefinitionArn(): string {
    return this.taskDefinition.taskDefinitionArn;
  }

  get logGroupName(): string {
    return this.logGroup.logGroupName;
  }

  /** ARN of every revision of the family, for policies. */
  get anyRevisionArn(): string {
    return anyRevisionArnOf(this, this.family);
  }
}
