import { Template } from 'aws-cdk-lib/assertions';
import type { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  AgentCluster,
  DenySessionsPolicy,
  ExecAudit,
  ExecPolicy,
  grantExecChannel,
  SESSION_DOCUMENTS,
  TunnelPolicy,
} from '../../../lib/constructs';
import { emptyStack } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const CLUSTER = 'arn:aws:ecs:eu-central-1:123456789012:cluster/shop';
const TASKS = 'arn:aws:ecs:eu-central-1:123456789012:task/shop/*';
const checked = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };

const shop = (stack: Stack) => AgentCluster.fromClusterName(stack, 'Cluster', 'shop');

const allowing = (stack: Stack, action: string) =>
  statementsIn(Template.fromStack(stack), 'AWS::IAM::ManagedPolicy').filter(({ Action }) => Action.includes(action));

const findings = (stack: Stack) => new AwsSolutionsChecks(stack, { verbose: true }).validateScope(stack).violations;

describe('ExecPolicy, on a cluster that is not ours', () => {
  it('runs commands in named containers of tagged tasks, and opens no other session', () => {
    const stack = emptyStack();
    new ExecPolicy(stack, 'Exec', { cluster: shop(stack), tags: { app: 'web' }, containers: ['web'] });

    expect(allowing(stack, 'ecs:ExecuteCommand')).toEqual([
      expect.objectContaining({
        Resource: TASKS,
        Condition: { StringEquals: { 'aws:ResourceTag/app': 'web', 'ecs:container-name': ['web'] } },
      }),
      expect.objectContaining({ Resource: CLUSTER, Condition: { StringEquals: { 'ecs:container-name': ['web'] } } }),
    ]);
    expect(allowing(stack, 'ssm:StartSession')).toEqual([]);
    expect(findings(stack)).toEqual([]);
  });

  it('runs commands in named tasks, with sessions encrypted by the key of the audit', () => {
    const stack = emptyStack();
    const audit = new ExecAudit(stack, 'Audit');
    new ExecPolicy(stack, 'Exec', { cluster: shop(stack), tasks: ['0123456789abcdef'], audit });

    expect(allowing(stack, 'ecs:ExecuteCommand').map(({ Resource }) => Resource)).toEqual([
      TASKS.replace('*', '0123456789abcdef'),
      CLUSTER,
    ]);
    expect(allowing(stack, 'kms:GenerateDataKey')).toHaveLength(1);
    expect(findings(stack)).toEqual([]);
  });

  it.each([{ tasks: [] }, { containers: [] }])('refuses an empty list: %j', (props) => {
    const stack = emptyStack();

    expect(() => new ExecPolicy(stack, 'Exec', { cluster: shop(stack), ...props })).toThrow('is empty: name one');
  });
});

describe('TunnelPolicy', () => {
  it('opens SSH and ports of tasks, each by its document', () => {
    const stack = emptyStack();
    new TunnelPolicy(stack, 'Tunnel', { cluster: shop(stack) });

    expect(allowing(stack, 'ssm:StartSession')).toEqual([
      expect.objectContaining({ Resource: TASKS, Condition: checked }),
      expect.objectContaining({
        Resource: [
          'arn:aws:ssm:eu-central-1::document/AWS-StartPortForwardingSession',
          'arn:aws:ssm:eu-central-1::document/AWS-StartSSHSession',
        ],
        Condition: checked,
      }),
    ]);
    expect(findings(stack)).toEqual([]);
  });

  it('reaches further hosts only where that is asked for', () => {
    const stack = emptyStack();
    new TunnelPolicy(stack, 'Tunnel', { cluster: shop(stack), documents: [SESSION_DOCUMENTS.remoteHost] });

    expect(JSON.stringify(allowing(stack, 'ssm:StartSession')[1])).toContain('ToRemoteHost');
  });

  it('refuses an empty list of documents', () => {
    const stack = emptyStack();

    expect(() => new TunnelPolicy(stack, 'Tunnel', { cluster: shop(stack), documents: [] })).toThrow(
      'documents is empty',
    );
  });
});

describe('DenySessionsPolicy', () => {
  it('denies every session that ECS Exec did not open', () => {
    const stack = emptyStack();
    new DenySessionsPolicy(stack, 'Deny', { cluster: shop(stack), tags: { app: 'web' } });

    expect(allowing(stack, 'ssm:StartSession')).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Resource: TASKS,
        Condition: { StringEquals: { 'aws:ResourceTag/app': 'web' } },
      }),
    ]);
    expect(findings(stack)).toEqual([]);
  });
});

test('grantExecChannel gives the role of any task the four actions of the agent', () => {
  const stack = emptyStack();
  grantExecChannel(new Role(stack, 'TaskRole', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') }));

  expect(statementsIn(Template.fromStack(stack), 'AWS::IAM::Policy')).toEqual([
    expect.objectContaining({
      Action: [
        'ssmmessages:CreateControlChannel',
        'ssmmessages:CreateDataChannel',
        'ssmmessages:OpenControlChannel',
        'ssmmessages:OpenDataChannel',
      ],
      Resource: '*',
    }),
  ]);
  expect(findings(stack)).toEqual([]);
});
