import { ArnFormat, CfnResource, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { CfnSecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { AGENT_TASK_ENVIRONMENT } from '../../contract/agent-task';
import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import { HOST_TAGS } from '../../contract/tags';
import type { IAgentEnvironment } from '../environment/environment-interfaces';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { LambdaFunction } from '../lambda/lambda-function';
import { acknowledgeFinding, wildcardFinding } from '../checks/nag-acknowledgement';
import { PROBE_RULE } from '../environment/ssh-security-group';
import { allow } from '../checks/statement';
import { referenceWeakly } from '../checks/weak-references';

/** Runs the hosts of `AgentTask`s in one environment. */
export interface IAgentTaskProvider extends IConstruct {
  /** The provider of the custom resources. */
  readonly serviceToken: string;

  /** The environment that its hosts run in. */
  readonly environment: IAgentEnvironment;
}

export interface AgentTaskProviderProps {
  /** Where the hosts run. */
  readonly environment: IAgentEnvironment;

  /**
   * Time between two checks of a host that is starting or stopping.
   *
   * @default Duration.seconds(5)
   */
  readonly queryInterval?: Duration;

  /**
   * How long the logs of the functions are kept.
   *
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

/** The longest that the CDK's provider framework waits. */
const TOTAL_TIMEOUT = Duration.hours(1);
/** RunTask is repeated for a while if there is no response. */
const ON_EVENT_TIMEOUT = Duration.minutes(5);
const IS_COMPLETE_TIMEOUT = Duration.minutes(2);
const HANDLER_MEMORY_MIB = 512;

/**
 * Runs the hosts of a stack's `AgentTask`s in one environment, with the CDK's provider framework, our two handlers, and
 * a function in the hosts' network that checks whether sshd answers. One provider serves all of them.
 */
export class AgentTaskProvider extends Construct implements IAgentTaskProvider {
  /** The provider of the scope's stack for an environment, made when it is first asked for. */
  static of(scope: Construct, environment: IAgentEnvironment): AgentTaskProvider {
    const stack = Stack.of(scope);
    const id = `AgentTaskProvider${environment.node.addr.slice(-8)}`;
    return (
      (stack.node.tryFindChild(id) as AgentTaskProvider | undefined) ??
      new AgentTaskProvider(stack, id, { environment })
    );
  }

  readonly serviceToken: string;
  readonly environment: IAgentEnvironment;

  constructor(scope: Construct, id: string, props: AgentTaskProviderProps) {
    super(scope, id);
    const { environment, logRetention = RetentionDays.TWO_WEEKS } = props;
    const queryInterval = props.queryInterval ?? Duration.seconds(5);
    checkInterval(queryInterval);
    this.environment = environment;

    const probe = this.probe(logRetention);
    const onEvent = this.onEvent(logRetention);
    const isComplete = this.isComplete(probe, logRetention);
    const logGroup = new LogGroup(this, 'Logs', { retention: logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const onEventRole = this.frameworkRole('OnEventFrameworkRole', 'begins', logGroup);
    const waiterRole = this.frameworkRole('WaiterFrameworkRole', 'waits for', logGroup);
    const provider = new Provider(this, 'Provider', {
      onEventHandler: onEvent.function,
      isCompleteHandler: isComplete.function,
      queryInterval,
      totalTimeout: TOTAL_TIMEOUT,
      logGroup,
      frameworkOnEventRole: onEventRole,
      frameworkCompleteAndTimeoutRole: waiterRole,
    });
    this.serviceToken = provider.serviceToken;
    this.acknowledgeFramework(provider, [onEvent, isComplete], [onEventRole, waiterRole]);
    referenceWeakly(this);
  }

  /** Its security group may only connect to port 22 of the hosts; the hosts' group allows it. */
  private probe(logRetention: RetentionDays): LambdaFunction {
    const { network } = this.environment;
    const securityGroup = new SecurityGroup(this, 'ProbeSecurityGroup', {
      vpc: network.vpc,
      description: 'Looks whether sshd of mngr hosts answers',
      allowAllOutbound: false,
    });
    const { securityGroup: hosts } = this.environment;
    hosts.addIngressRule(securityGroup, Port.SSH, PROBE_RULE, true);
    (securityGroup.node.defaultChild as CfnSecurityGroup).securityGroupEgress = [
      { ...Port.SSH.toRuleJson(), destinationSecurityGroupId: hosts.securityGroupId, description: PROBE_RULE },
    ];
    return new LambdaFunction(this, 'Probe', {
      code: 'host-probe',
      description: 'Looks whether sshd of a host answers and proves its key',
      timeout: Duration.seconds(30),
      logRetention,
      network: { subnetIds: network.subnetIds, securityGroup },
    });
  }

  /** Starts, stops and finds hosts. */
  private onEvent(logRetention: RetentionDays): LambdaFunction {
    const handler = new LambdaFunction(this, 'OnEvent', {
      code: 'agent-task',
      handler: 'onEvent',
      description: 'Starts and stops the hosts of a stack',
      timeout: ON_EVENT_TIMEOUT,
      memorySize: HANDLER_MEMORY_MIB,
      logRetention,
    });
    const { cluster, taskDefinition } = this.environment;
    const ours = { [`aws:RequestTag/${HOST_TAGS.stackId}`]: Stack.of(this).stackId };
    const statements = [
      allow(handler, 'RunHosts', ['ecs:RunTask'], [taskDefinition.anyRevisionArn], {
        conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn }, StringEquals: ours },
        wildcard: 'Any revision of the one family, since each deployment makes a new revision; in this cluster only.',
      }),
      allow(handler, 'TagHostsAtLaunch', ['ecs:TagResource'], [this.tasks], {
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask', ...ours } },
        wildcard: TASK_IDS,
      }),
      allow(
        handler,
        'PassHostRoles',
        ['iam:PassRole'],
        [taskDefinition.taskRole.roleArn, taskDefinition.executionRole.roleArn],
        { conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } } },
      ),
      ...this.watchStatements(handler),
    ];
    for (const statement of statements) handler.role.addToPolicy(statement);
    return handler;
  }

  /** Watches hosts, tags those that are ready, stops those that failed, and reads why they did. */
  private isComplete(probe: LambdaFunction, logRetention: RetentionDays): LambdaFunction {
    const handler = new LambdaFunction(this, 'IsComplete', {
      code: 'agent-task',
      handler: 'isComplete',
      description: 'Looks how far the hosts of a stack are',
      environment: { [AGENT_TASK_ENVIRONMENT.probe]: probe.function.functionName },
      timeout: IS_COMPLETE_TIMEOUT,
      memorySize: HANDLER_MEMORY_MIB,
      logRetention,
    });
    const streams = `${Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: this.environment.taskDefinition.logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })}:*`;
    const statements = [
      ...this.watchStatements(handler),
      allow(handler, 'TagHosts', ['ecs:TagResource', 'ecs:UntagResource'], [this.tasks], {
        conditions: this.ofThisStack,
        wildcard: TASK_IDS,
      }),
      allow(handler, 'FindHostAddresses', ['ec2:DescribeNetworkInterfaces'], ['*'], { wildcard: READ_ONLY }),
      allow(handler, 'FindHostLogs', ['ecs:DescribeTaskDefinition'], ['*'], { wildcard: READ_ONLY }),
      allow(handler, 'ReadHostLogs', ['logs:GetLogEvents'], [streams], {
        wildcard: 'Every log stream of the one log group of the hosts.',
      }),
      allow(handler, 'AskTheProbe', ['lambda:InvokeFunction'], [probe.function.functionArn]),
    ];
    for (const statement of statements) handler.role.addToPolicy(statement);
    return handler;
  }

  private watchStatements(handler: LambdaFunction) {
    const { clusterArn } = this.environment.cluster;
    return [
      allow(handler, 'DescribeHosts', ['ecs:DescribeTasks'], [this.anyTask], { wildcard: ANY_CLUSTER }),
      allow(handler, 'StopHosts', ['ecs:StopTask'], [this.anyTask], {
        conditions: this.ofThisStack,
        wildcard: ANY_CLUSTER,
      }),
      allow(handler, 'FindHostsByName', ['ecs:ListTasks'], ['*'], {
        conditions: { ArnEquals: { 'ecs:cluster': clusterArn } },
        wildcard:
          'ecs:ListTasks knows container instances as its only resource type, and Fargate has none; the condition limits it to this cluster.',
      }),
    ];
  }

  /** Neither another stack's hosts nor those of users. */
  private get ofThisStack() {
    return { StringEquals: { [`aws:ResourceTag/${HOST_TAGS.stackId}`]: Stack.of(this).stackId } };
  }

  private get tasks(): string {
    const { clusterName } = this.environment.cluster;
    return Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${clusterName}/*` });
  }

  /** A host is stopped in the cluster in which it was started, which an update may have replaced since. */
  private get anyTask(): string {
    return Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: '*' });
  }

  private frameworkRole(id: string, does: string, logGroup: LogGroup): Role {
    const role = new Role(this, id, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `The CDK provider framework ${does} the hosts of a stack`,
    });
    logGroup.grantWrite(role);
    return role;
  }

  private acknowledgeFramework(provider: Provider, handlers: readonly LambdaFunction[], roles: readonly IRole[]): void {
    const waiter = provider.node.findChild('waiter-state-machine');
    const grant = (role: IConstruct, invoked: IFunction): void =>
      acknowledgeFinding(role, wildcardFinding(this, `${invoked.functionArn}:*`), ALL_VERSIONS);
    for (const handler of handlers) for (const role of roles) grant(role, handler.function);
    for (const id of ['framework-isComplete', 'framework-onTimeout'])
      grant(waiter, provider.node.findChild(id) as IFunction & IConstruct);
    acknowledgeFinding(waiter, 'AwsSolutions-SF1', WAITER_UNLOGGED);
    acknowledgeFinding(waiter, 'AwsSolutions-SF2', WAITER_UNTRACED);
    // "Dependency already enforced": the CDK writes them for roles with their policies.
    for (const resource of provider.node.findAll().filter(CfnResource.isCfnResource)) {
      if (!resource.cfnResourceType.startsWith('AWS::IAM::')) ignoreCfnLintRule(resource, 'W3005');
    }
  }
}

const TASK_IDS = 'Task ids are made up at launch; tasks of this cluster only.';
const ANY_CLUSTER =
  'Task ids are made up at launch, and the cluster may have been replaced since; only tasks with the tag of this stack can be stopped.';
const READ_ONLY = 'The action has no resource-level permissions; it reads only.';
const ALL_VERSIONS = 'The CDK grants invoking a function with all of its versions.';
const WAITER_UNTRACED = 'The waiter only repeats one function, whose log tells what it saw.';
const WAITER_UNLOGGED =
  'The function that the waiter repeats writes a log of its own; the waiter’s would add requests with pre-signed URLs.';

function checkInterval(interval: Duration): void {
  const seconds = interval.toSeconds();
  if (Token.isUnresolved(seconds) || (seconds >= 1 && seconds <= AGENT_TASK_TIMEOUT.default)) return;
  throw new Error(
    `queryInterval of ${seconds} seconds is not possible: use 1 to ${AGENT_TASK_TIMEOUT.default} seconds`,
  );
}
