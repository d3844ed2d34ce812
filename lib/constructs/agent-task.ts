import { CustomResource, Token } from 'aws-cdk-lib';
import type { CfnResource, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AgentTaskPropertiesInput } from '../contract/agent-task';
import { AGENT_TASK_ATTRIBUTES, AGENT_TASK_RESOURCE_TYPE } from '../contract/agent-task';
import { AGENT_TASK_TIMEOUT } from '../contract/agent-task-timeout';
import type { AgentEnvironment } from './agent-environment';
import { AGENT_CONTAINER_NAME } from './agent-task-definition';
import { AgentTaskProvider } from './agent-task-provider';
import { agentTaskProblems } from './agent-task-rules';
import { ignoreCfnLintRule } from './cfn-lint-metadata';

export interface AgentTaskProps {
  /** Where the host runs. */
  readonly environment: AgentEnvironment;

  /** Name of the host: letters, digits, `-` and `_`, at most 63. Its agent's tmux session is `mngr-<name>`. */
  readonly name: string;

  /** Who may log in: one OpenSSH public key, as in a `.pub` file. Its private half never gets near the stack. */
  readonly publicKey: string;

  /**
   * Further OpenSSH public keys that may log in.
   *
   * @default - none
   */
  readonly authorizedKeys?: string[];

  /**
   * Program and arguments for the agent's tmux session. Whoever may describe ECS tasks can read it.
   *
   * @default - no session is started
   */
  readonly command?: string[];

  /**
   * Environment variables of the agent. Whoever may read the stack or describe ECS tasks can read them, so names that
   * sound like secrets are refused: give a secret to the environment's `secrets` and read it on the host.
   *
   * @default - none
   */
  readonly env?: Record<string, string>;

  /**
   * Time without activity after which the host ends itself. The stack doesn't notice.
   *
   * @default Duration.seconds(0), which means never: the host ends with the stack
   */
  readonly idleTimeout?: Duration;

  /**
   * Age at which the environment's reaper stops the host, at least a minute. Can be changed while it runs.
   *
   * @default - the environment's `defaultMaxAge`
   */
  readonly maxAge?: Duration;

  /**
   * CPU units; see `AgentTaskDefinition` for the sizes that there are.
   *
   * @default - the environment's
   */
  readonly cpu?: number;

  /**
   * Memory in MiB.
   *
   * @default - the environment's
   */
  readonly memoryLimitMiB?: number;

  /**
   * The host's disk in GiB, 21 to 200.
   *
   * @default - the environment's
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * Runs on Fargate Spot, where AWS can end the host at two minutes' notice. The stack doesn't start it again.
   *
   * @default false
   */
  readonly spot?: boolean;

  /**
   * Tags of the host, not beginning with `mngr-`. Can be changed while it runs.
   *
   * @default - none
   */
  readonly tags?: Record<string, string>;

  /**
   * Name of the provider block that launchers see the host under.
   *
   * @default 'fargate'
   */
  readonly providerName?: string;

  /**
   * Time that the host may take until sshd answers, at most 55 minutes.
   *
   * @default Duration.minutes(15)
   */
  readonly timeout?: Duration;

  /**
   * What starts and watches the host.
   *
   * @default - one that all hosts of the stack in this environment share
   */
  readonly resourceProvider?: AgentTaskProvider;
}

/**
 * A host that is part of a stack: it runs once the deployment has succeeded, and ends with the stack. An update that ECS
 * can't make on a running task starts the new host before it ends the old one. docs/agent-task.md says more.
 */
export class AgentTask extends Construct {
  /** The host's ECS task. */
  readonly taskArn: string;

  /** `host-<32 hex>`. */
  readonly hostId: string;

  /** Public IPv4 address; empty where hosts have none. */
  readonly publicAddress: string;

  /** IPv4 address within the VPC. */
  readonly privateAddress: string;

  /** The one of the two addresses that launchers use. */
  readonly address: string;

  /** Port of sshd at `address`. */
  readonly port: string;

  /** The verified host key as in a `.pub` file, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;

  /** The line of a known_hosts file that pins `hostKey` for `address` and `port`. */
  readonly knownHosts: string;

  constructor(scope: Construct, id: string, props: AgentTaskProps) {
    super(scope, id);
    const { environment } = props;
    const problems = agentTaskProblems(props);
    if (problems.length > 0) throw new Error(`${this.node.path}: ${problems.join('; ')}`);
    const provider = props.resourceProvider ?? AgentTaskProvider.of(this, environment);
    if (provider.environment !== environment) {
      throw new Error(
        `${this.node.path}: resourceProvider is for environment ${provider.environment.node.path}, and the host is for ${environment.node.path}: give one of the host's own`,
      );
    }

    const resource = new CustomResource(this, 'Resource', {
      resourceType: AGENT_TASK_RESOURCE_TYPE,
      serviceToken: provider.serviceToken,
      properties: propertiesOf(props) satisfies AgentTaskPropertiesInput,
    });
    // Roles, routes and rules are there before the host starts, and until it has ended.
    resource.node.addDependency(environment, environment.network, environment.cluster, provider);
    // "Dependency already enforced": some of those the properties name as well.
    ignoreCfnLintRule(resource.node.defaultChild as CfnResource, 'W3005');

    this.taskArn = resource.ref;
    this.hostId = resource.getAttString(AGENT_TASK_ATTRIBUTES.hostId);
    this.publicAddress = resource.getAttString(AGENT_TASK_ATTRIBUTES.publicAddress);
    this.privateAddress = resource.getAttString(AGENT_TASK_ATTRIBUTES.privateAddress);
    this.address = resource.getAttString(AGENT_TASK_ATTRIBUTES.address);
    this.port = resource.getAttString(AGENT_TASK_ATTRIBUTES.port);
    this.hostKey = resource.getAttString(AGENT_TASK_ATTRIBUTES.hostKey);
    this.knownHosts = resource.getAttString(AGENT_TASK_ATTRIBUTES.knownHosts);
  }
}

function propertiesOf(props: AgentTaskProps): AgentTaskPropertiesInput {
  const { environment } = props;
  const { network, cluster, securityGroup, taskDefinition } = environment;
  return {
    Cluster: cluster.clusterName,
    TaskDefinition: taskDefinition.taskDefinition.taskDefinitionArn,
    ContainerName: AGENT_CONTAINER_NAME,
    LogGroup: taskDefinition.logGroup.logGroupName,
    Subnets: network.subnetIds,
    SecurityGroups: [securityGroup.securityGroupId],
    AssignPublicIp: network.assignPublicIp,
    Provider: props.providerName ?? 'fargate',
    Name: props.name,
    PublicKey: Token.isUnresolved(props.publicKey) ? props.publicKey : props.publicKey.trim(),
    AuthorizedKeys: props.authorizedKeys,
    Command: props.command,
    Env: props.env,
    Cpu: props.cpu ?? taskDefinition.cpu,
    Memory: props.memoryLimitMiB ?? taskDefinition.memoryLimitMiB,
    EphemeralStorage: props.ephemeralStorageGiB,
    Spot: props.spot ?? false,
    IdleTimeout: props.idleTimeout?.toSeconds() ?? 0,
    MaxAge: props.maxAge?.toSeconds() ?? environment.defaultMaxAgeSeconds,
    Tags: props.tags,
    Timeout: props.timeout?.toSeconds() ?? AGENT_TASK_TIMEOUT.default,
  };
}
