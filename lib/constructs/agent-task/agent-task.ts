import type { CfnResource, ITaggableV2 } from 'aws-cdk-lib';
import { CustomResource, Duration, Lazy, Stack, TagManager, TagType, Token } from 'aws-cdk-lib';
import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import type { AgentTaskPropertiesInput } from '../../contract/agent-task';
import { AGENT_TASK_ATTRIBUTES, AGENT_TASK_RESOURCE_TYPE } from '../../contract/agent-task';
import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import { AGENT_CONTAINER_NAME } from '../environment/host-definition';
import type { AgentTaskProps } from './agent-task-props';
import type { IAgentTaskProvider } from './agent-task-provider';
import { AgentTaskProvider } from './agent-task-provider';
import { agentTaskProblems } from './agent-task-rules';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { hasToken } from '../checks/tokens';
import { referenceWeakly } from '../checks/weak-references';
import type { IAgentEnvironment } from '../environment/environment-interfaces';

/**
 * A host that is part of a stack: it runs once the deployment has succeeded, and ends with the stack. An update that ECS
 * can't make on a running task starts the new host before it ends the old one. docs/agent-task.md says more.
 */
export class AgentTask extends Construct implements ITaggableV2 {
  /**
   * Tags from `Tags.of(…)` of the host or of what it is in, its stack for example. The host's own tags take precedence.
   */
  readonly cdkTagManager = new TagManager(TagType.MAP, AGENT_TASK_RESOURCE_TYPE);

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

  private readonly name: string;
  private readonly environment: IAgentEnvironment;
  /** Name of the provider block that launchers see the host under. */
  private readonly launchers: string;
  /** What the host's tag says: the same whichever provider the resource has. */
  private readonly owner: string;

  constructor(scope: Construct, id: string, props: AgentTaskProps) {
    super(scope, id);
    const { environment, resourceProvider } = props;
    this.name = props.name;
    this.environment = environment;
    this.launchers = props.providerName ?? DEFAULT_PROVIDER_NAME;
    const problems = [...agentTaskProblems(props), ...this.placeProblems(resourceProvider)];
    if (problems.length > 0) throw new Error(`${this.node.path}: ${problems.join('; ')}`);
    const provider = resourceProvider ?? AgentTaskProvider.of(this, environment);

    const resource = new CustomResource(this, 'Resource', {
      resourceType: AGENT_TASK_RESOURCE_TYPE,
      serviceToken: provider.serviceToken,
      serviceTimeout: SERVICE_TIMEOUT,
      properties: {
        ...(propertiesOf(props) satisfies Omit<AgentTaskPropertiesInput, 'Owner' | 'Tags'>),
        Owner: Lazy.string({ produce: () => this.owner }),
        Tags: Lazy.any({ produce: () => this.allTags(props.tags) }),
      },
    });
    const cfnResource = resource.node.defaultChild as CfnResource;
    // CloudFormation can't change a resource's service token: one of another provider is another resource.
    this.owner = Stack.of(this).getLogicalId(cfnResource);
    cfnResource.overrideLogicalId(`${this.owner}${provider.node.addr.slice(-8)}`);
    resource.node.addDependency(...this.neededBy(environment), provider);
    // "Dependency already enforced": some of those the properties name as well.
    ignoreCfnLintRule(cfnResource, 'W3005');
    referenceWeakly(this);
    this.node.addValidation({ validate: () => this.sameNameProblems() });

    this.taskArn = resource.ref;
    this.hostId = resource.getAttString(AGENT_TASK_ATTRIBUTES.hostId);
    this.publicAddress = resource.getAttString(AGENT_TASK_ATTRIBUTES.publicAddress);
    this.privateAddress = resource.getAttString(AGENT_TASK_ATTRIBUTES.privateAddress);
    this.address = resource.getAttString(AGENT_TASK_ATTRIBUTES.address);
    this.port = resource.getAttString(AGENT_TASK_ATTRIBUTES.port);
    this.hostKey = resource.getAttString(AGENT_TASK_ATTRIBUTES.hostKey);
    this.knownHosts = resource.getAttString(AGENT_TASK_ATTRIBUTES.knownHosts);
  }

  private allTags(own: Record<string, string> | undefined): Record<string, string> | undefined {
    const tags = { ...this.cdkTagManager.tagValues(), ...own };
    return Object.keys(tags).length > 0 ? tags : undefined;
  }

  private placeProblems(provider: IAgentTaskProvider | undefined): string[] {
    const { environment } = this;
    const [here, there] = [Stack.of(this), Stack.of(environment)];
    const differs = (one: string, other: string): boolean => !hasToken([one, other]) && one !== other;
    return [
      provider !== undefined && provider.environment !== environment
        ? `resourceProvider is for environment ${provider.environment.node.path}, and the host is for ${environment.node.path}: give one that was made for the host's environment`
        : undefined,
      provider !== undefined && Stack.of(provider) !== here
        ? `resourceProvider is in stack ${Stack.of(provider).node.path}, and may only manage that stack's hosts: make one in ${here.node.path}`
        : undefined,
      differs(here.region, there.region)
        ? `the stack is in ${here.region}, and environment ${environment.node.path} is in ${there.region}: put the host into a stack in the environment's region`
        : undefined,
      differs(here.account, there.account)
        ? `the stack is in account ${here.account}, and environment ${environment.node.path} is in ${there.account}: put the host into a stack in the environment's account`
        : undefined,
    ].filter((problem) => problem !== undefined);
  }

  private sameNameProblems(): string[] {
    const others = this.node.root.node.findAll().filter((node) => node instanceof AgentTask && node !== this);
    const same = (others as AgentTask[]).find(
      ({ name, environment, launchers }) =>
        !hasToken([name, launchers]) &&
        name === this.name &&
        launchers === this.launchers &&
        environment === this.environment,
    );
    return same === undefined
      ? []
      : [
          `${same.node.path} also has the name ${JSON.stringify(this.name)}: give each host of an environment its own name`,
        ];
  }

  /**
   * Roles, routes and rules exist before the host starts and until it has stopped. This covers only those that exist
   * now: a rule that is added later may use the host's address.
   */
  private neededBy({ network, cluster, taskDefinition, securityGroup }: IAgentEnvironment): IConstruct[] {
    const rules = securityGroup.node.findAll().filter((node) => node instanceof CfnSecurityGroupIngress);
    return [network, cluster, taskDefinition, ...rules].filter((needed) => !this.node.scopes.includes(needed));
  }
}

/** For one request of CloudFormation: the longest that the provider framework waits, and the longest possible. */
const SERVICE_TIMEOUT = Duration.hours(1);
const DEFAULT_PROVIDER_NAME = 'fargate';

function propertiesOf(props: AgentTaskProps): Omit<AgentTaskPropertiesInput, 'Owner' | 'Tags'> {
  const { environment } = props;
  const { network, cluster, securityGroup, taskDefinition } = environment;
  return {
    Cluster: cluster.clusterName,
    TaskDefinition: taskDefinition.taskDefinitionArn,
    ContainerName: AGENT_CONTAINER_NAME,
    LogGroup: taskDefinition.logGroupName,
    Subnets: network.subnetIds,
    SecurityGroups: [securityGroup.securityGroupId],
    AssignPublicIp: network.assignPublicIp,
    Provider: props.providerName ?? DEFAULT_PROVIDER_NAME,
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
    Timeout: props.timeout?.toSeconds() ?? AGENT_TASK_TIMEOUT.default,
  };
}
