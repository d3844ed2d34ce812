import { Template } from 'aws-cdk-lib/assertions';
import { AccountPrincipal, ArnPrincipal } from 'aws-cdk-lib/aws-iam';
import type { OperatorPolicyProps } from '../../../lib/constructs';
import { AgentCluster, AgentTaskDefinition, OperatorPolicy } from '../../../lib/constructs';
import { emptyStack, RegistryImage } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const CLUSTER = 'arn:aws:ecs:eu-central-1:123456789012:cluster/mngr';
const HOSTS = 'arn:aws:ecs:eu-central-1:123456789012:task/mngr/*';
const FAMILY = 'arn:aws:ecs:eu-central-1:123456789012:task-definition/mngr-task:*';

const NOT_A_STACKS = { Null: { 'aws:RequestTag/mngr-stack-id': 'true' } };

const templateWith = (props: Partial<OperatorPolicyProps> = {}): Template => {
  const stack = emptyStack();
  new OperatorPolicy(stack, 'Operator', {
    cluster: AgentCluster.fromClusterName(stack, 'Cluster', 'mngr'),
    taskDefinition: new AgentTaskDefinition(stack, 'Task', { image: new RegistryImage(stack, 'Image') }),
    ...props,
  });
  return Template.fromStack(stack);
};

/** The one statement that allows an action; several would hide one another. */
const allowing = (action: string, template = templateWith()) =>
  statementsIn(template, 'AWS::IAM::ManagedPolicy').filter(({ Action }) => Action.includes(action));

describe('the operator policy', () => {
  it('launches hosts of this family in this cluster only', () => {
    expect(allowing('ecs:RunTask')).toEqual([
      expect.objectContaining({
        Resource: FAMILY,
        Condition: { ArnEquals: { 'ecs:cluster': CLUSTER }, ...NOT_A_STACKS },
      }),
    ]);
  });

  it.each([false, true])('can make no task say that it is a stack’s (in a shared cluster: %s)', (sharedCluster) => {
    const template = templateWith({ sharedCluster });
    for (const action of ['ecs:RunTask', 'ecs:TagResource']) {
      const statements = allowing(action, template);
      expect(statements.length).toBeGreaterThan(0);
      for (const { Condition } of statements) expect(Condition).toMatchObject(NOT_A_STACKS);
    }
  });

  it("passes the hosts' two roles, to ECS tasks only", () => {
    expect(allowing('iam:PassRole')).toEqual([
      expect.objectContaining({
        Resource: [
          { 'Fn::GetAtt': [expect.stringMatching(/^TaskExecutionRole/), 'Arn'] },
          { 'Fn::GetAtt': [expect.stringMatching(/^TaskTaskRole/), 'Arn'] },
        ],
        Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      }),
    ]);
  });

  it.each(['ecs:DescribeTasks', 'ecs:StopTask', 'ecs:TagResource', 'ecs:UntagResource'])(
    'does %s to tasks of this cluster only',
    (action) => {
      expect(allowing(action)).toEqual([expect.objectContaining({ Resource: HOSTS })]);
    },
  );

  it('opens ECS Exec only where it is asked for, on tasks of this cluster and on the cluster, both of which AWS checks', () => {
    expect(allowing('ecs:ExecuteCommand')).toEqual([]);
    expect(allowing('ecs:ExecuteCommand', templateWith({ exec: true })).map(({ Resource }) => Resource)).toEqual([
      HOSTS,
      CLUSTER,
    ]);
  });

  describe('through Session Manager', () => {
    const DOCUMENT = 'arn:aws:ssm:eu-central-1::document/AWS-StartSSHSession';
    const checked = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };

    it('opens SSH sessions on tasks of this cluster and no other document, so no shell', () => {
      expect(allowing('ssm:StartSession')).toEqual([
        expect.objectContaining({ Resource: HOSTS, Condition: checked }),
        expect.objectContaining({ Resource: DOCUMENT, Condition: checked }),
      ]);
    });

    it.each(['ssm:ResumeSession', 'ssm:TerminateSession'])('does %s to sessions of its own only', (action) => {
      expect(allowing(action)).toEqual([
        expect.objectContaining({
          Resource: 'arn:aws:ssm:eu-central-1:123456789012:session/*',
          Condition: { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
        }),
      ]);
    });

    it('opens none where it is not wanted', () => {
      const actions = statementsIn(templateWith({ sessionSsh: false }), 'AWS::IAM::ManagedPolicy').flatMap(
        ({ Action }) => Action,
      );

      expect(actions.filter((action) => /^ssm/.test(action))).toEqual([]);
    });

    it('asks in a shared cluster for the tag of the environment', () => {
      const [onTasks] = allowing('ssm:StartSession', templateWith({ sharedCluster: true }));

      expect(onTasks).toEqual(
        expect.objectContaining({
          Condition: { ...checked, StringEquals: { 'aws:ResourceTag/mngr-environment': 'mngr-task' } },
        }),
      );
    });
  });

  it('registers image overrides in this family only', () => {
    expect(allowing('ecs:RegisterTaskDefinition')).toEqual([expect.objectContaining({ Resource: FAMILY })]);
  });

  it('reads the logs of the hosts only', () => {
    const [statement] = allowing('logs:GetLogEvents');

    expect(statement?.Action).toEqual(['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents']);
    expect(JSON.stringify(statement?.Resource)).toMatch(/:log-group:.*TaskLogs/);
  });

  it('reads the outputs of this stack only', () => {
    expect(allowing('cloudformation:DescribeStacks')).toEqual([
      expect.objectContaining({ Resource: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Team/*' }),
    ]);
  });

  it('names every resource, but where AWS has none to name', () => {
    const everywhere = statementsIn(templateWith(), 'AWS::IAM::ManagedPolicy').filter(
      ({ Resource }) => Resource === '*',
    );

    expect(everywhere.flatMap(({ Action }) => Action).sort()).toEqual([
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSecurityGroups',
      'ecs:DescribeTaskDefinition',
      'ecs:ListTasks',
    ]);
    expect(allowing('ecs:ListTasks')).toEqual([
      expect.objectContaining({ Condition: { ArnEquals: { 'ecs:cluster': CLUSTER } } }),
    ]);
  });

  it('has no wildcard among its actions', () => {
    const actions = statementsIn(templateWith(), 'AWS::IAM::ManagedPolicy').flatMap(({ Action }) => Action);

    expect(actions.length).toBeGreaterThan(10);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('fits the 6,144 characters that IAM gives a managed policy, with long names', () => {
    const statements = JSON.stringify(statementsIn(templateWith({ sharedCluster: true }), 'AWS::IAM::ManagedPolicy'));

    expect(statements.length).toBeLessThan(5000);
  });

  describe('in a shared cluster', () => {
    const shared = templateWith({ sharedCluster: true, exec: true });

    it.each(['ecs:StopTask', 'ecs:UntagResource'])('does %s to tasks that are tagged as hosts only', (action) => {
      expect(allowing(action, shared)).toEqual([
        expect.objectContaining({
          Resource: HOSTS,
          Condition: { StringEquals: { 'aws:ResourceTag/mngr-environment': 'mngr-task' }, ...NOT_A_STACKS },
        }),
      ]);
    });

    it("can't make a host of somebody else's task: only a launch may tag what is no host", () => {
      expect(allowing('ecs:TagResource', shared).map(({ Condition }) => Condition)).toEqual([
        { StringEquals: { 'ecs:CreateAction': 'RunTask' }, ...NOT_A_STACKS },
        { StringEquals: { 'aws:ResourceTag/mngr-environment': 'mngr-task' }, ...NOT_A_STACKS },
      ]);
    });
  });
});

describe('the operator role', () => {
  const trust = (template: Template): unknown => {
    const roles = template.findResources('AWS::IAM::Role', {
      Properties: { Description: 'Launches, finds and stops mngr hosts of this environment' },
    });
    const [role] = Object.values(roles) as { Properties: { AssumeRolePolicyDocument: { Statement: unknown } } }[];
    return role?.Properties.AssumeRolePolicyDocument.Statement;
  };

  it('may be taken by whom the account allows to', () => {
    expect(trust(templateWith())).toEqual([
      { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::123456789012:root' } },
    ]);
  });

  it('may be taken by the named principals only, with the external id', () => {
    const template = templateWith({
      principals: [new AccountPrincipal('210987654321'), new ArnPrincipal('arn:aws:iam::123456789012:role/developers')],
      externalId: 'mngr-4711',
    });

    expect(trust(template)).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { AWS: ['arn:aws:iam::123456789012:role/developers', 'arn:aws:iam::210987654321:root'] },
        Condition: { StringEquals: { 'sts:ExternalId': 'mngr-4711' } },
      },
    ]);
  });

  it('has the operator policy and no other', () => {
    const template = templateWith();
    const [policy] = Object.keys(template.findResources('AWS::IAM::ManagedPolicy'));

    template.hasResourceProperties('AWS::IAM::Role', { ManagedPolicyArns: [{ Ref: policy }] });
  });
});
