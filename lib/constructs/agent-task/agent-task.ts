import { CustomResource, Token } from 'aws-cdk-lib';
import type { CfnResource } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AgentTaskPropertiesInput } from '../../contract/agent-task';
import { AGENT_TASK_ATTRIBUTES, AGENT_TASK_RESOURCE_TYPE } from '../../contract/agent-task';
import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import { AGENT_CONTAINER_NAME } from '../environment/agent-task-definition';
import type { AgentTaskProps } from './agent-task-props';
import { AgentTaskProvider } from './agent-task-provider';
import { agentTaskProblems } from './agent-task-rules';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';

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
