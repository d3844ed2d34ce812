import { Tags } from 'aws-cdk-lib';
import type { CfnTaskDefinition, ContainerDefinition } from 'aws-cdk-lib/aws-ecs';
import { CpuArchitecture, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { STACK_REVISION_TAG } from '../../contract/tags';
import type { IAgentImage } from '../environment/agent-image';
import { ExecutionRole } from '../environment/execution-role';
import { addHostContainer, anyRevisionArnOf, hostDefinition, hostLogGroup } from '../environment/host-definition';

export interface SandboxTaskDefinitionProps {
  /** What sandboxes run. */
  readonly image: IAgentImage;

  /**
   * Name that all revisions share.
   *
   * @default 'mngr-sandbox'
   */
  readonly family?: string;

  /**
   * Must be that of the image.
   *
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * CPU units, 1024 a vCPU. A session can ask for another size.
   *
   * @default 512
   */
  readonly cpu?: number;

  /**
   * Memory in MiB; `AgentTaskDefinition` says what goes with which `cpu`.
   *
   * @default 1024
   */
  readonly memoryLimitMiB?: number;

  /**
   * The sandbox's disk in GiB, 21 to 200. It is lost with the sandbox.
   *
   * @default 20, which Fargate includes
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * How long the sandboxes' logs are kept.
   *
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

/**
 * The task definition of a sandbox, with its log group. It has no task role: code in a sandbox finds no credentials, also
 * not as root. The execution role is ECS's own and never seen inside.
 */
export class SandboxTaskDefinition extends Construct {
  readonly taskDefinition: FargateTaskDefinition;
  readonly container: ContainerDefinition;
  readonly logGroup: ILogGroup;

  /** What ECS may do to start a sandbox: pull the image, write the logs. */
  readonly executionRole: IRole;

  readonly family: string;
  readonly cpu: number;
  readonly memoryLimitMiB: number;
  readonly architecture: CpuArchitecture;

  constructor(scope: Construct, id: string, props: SandboxTaskDefinitionProps) {
    super(scope, id);
    this.family = props.family ?? 'mngr-sandbox';
    this.cpu = props.cpu ?? 512;
    this.memoryLimitMiB = props.memoryLimitMiB ?? 1024;
    this.architecture = props.architecture ?? CpuArchitecture.X86_64;
    const definition = hostDefinition(this, props.ephemeralStorageGiB);
    this.logGroup = hostLogGroup(this, props.logRetention);
    this.executionRole = new ExecutionRole(this, 'ExecutionRole');
    this.taskDefinition = new FargateTaskDefinition(this, 'Definition', {
      ...definition,
      executionRole: this.executionRole,
    });
    this.removeTaskRole();
    Tags.of(this.taskDefinition).add(STACK_REVISION_TAG, this.family);
    this.container = addHostContainer(this.taskDefinition, props.image, this.logGroup);
  }

  /** ARN of every revision of the family, for policies. */
  get anyRevisionArn(): string {
    return anyRevisionArnOf(this, this.family);
  }

  get logGroupName(): string {
    return this.logGroup.logGroupName;
  }

  /** The CDK gives every task definition a role. With it out of the tree, what anybody grants to it has no effect either. */
  private removeTaskRole(): void {
    this.taskDefinition.node.tryRemoveChild('TaskRole');
    (this.taskDefinition.node.defaultChild as CfnTaskDefinition).addPropertyDeletionOverride('TaskRoleArn');
  }
}
