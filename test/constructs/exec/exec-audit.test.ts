import { Match, Template } from 'aws-cdk-lib/assertions';
import type { Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Cluster } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { ExecAuditProps } from '../../../lib/constructs';
import { ExecAudit, ExecAuditDestination } from '../../../lib/constructs';
import { statementsIn } from '../../support/assertions/policy-statements';
import { emptyStack } from '../../support/cdk/construct-stack';

function audited(props: ExecAuditProps = {}) {
  const stack = emptyStack();
  const audit = new ExecAudit(stack, 'Audit', props);
  const role = new Role(stack, 'TaskRole', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
  audit.grantTask(role);
  return { stack, audit, role };
}

const violations = (stack: Stack) => new AwsSolutionsChecks(stack, { verbose: true }).validateScope(stack).violations;

describe('ExecAudit', () => {
  it('keeps encrypted transcripts in a log group for three months', () => {
    const template = Template.fromStack(audited().stack);

    template.hasResourceProperties('AWS::Logs::LogGroup', {
      RetentionInDays: 90,
      KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^AuditKey'), 'Arn'] },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: 'logs.eu-central-1.amazonaws.com' },
            Condition: {
              ArnLike: { 'kms:EncryptionContext:aws:logs:arn': Match.stringLikeRegexp(':log-group:\\*$') },
            },
          }),
        ]),
      },
    });
    template.resourceCountIs('AWS::S3::Bucket', 0);
  });

  it('keeps them in a bucket that nobody else can read, for as long as asked', () => {
    const { stack } = audited({ destination: ExecAuditDestination.BUCKET, retention: RetentionDays.ONE_YEAR });
    const template = Template.fromStack(stack);

    template.resourceCountIs('AWS::Logs::LogGroup', 0);
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: { Rules: [{ ExpirationInDays: 365, Status: 'Enabled' }] },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, RestrictPublicBuckets: true },
    });
  });

  it('lets a task write to the log group, and decrypt', () => {
    const statements = statementsIn(Template.fromStack(audited().stack), 'AWS::IAM::Policy');

    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      'kms:Decrypt',
      'logs:CreateLogStream',
      'logs:DescribeLogGroups',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
    ]);
  });

  it('lets a task write to the bucket, and encrypt there', () => {
    const { stack } = audited({ destination: ExecAuditDestination.BUCKET });
    const statements = statementsIn(Template.fromStack(stack), 'AWS::IAM::Policy');

    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      's3:GetBucketLocation',
      's3:GetEncryptionConfiguration',
      's3:PutObject',
    ]);
  });

  it('grants its task and caller to roles of others', () => {
    const stack = emptyStack();
    const audit = new ExecAudit(stack, 'Audit', { destination: ExecAuditDestination.BOTH });
    audit.grantTask(Role.fromRoleName(stack, 'WebRole', 'web-task'));
    audit.grantCaller(Role.fromRoleName(stack, 'People', 'people'));

    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      Roles: ['people'],
      PolicyDocument: { Statement: [Match.objectLike({ Action: 'kms:GenerateDataKey' })] },
    });
    expect(violations(stack)).toEqual([]);
  });

  it('configures a cluster', () => {
    const { stack, audit } = audited({ destination: ExecAuditDestination.BOTH });
    new Cluster(stack, 'Cluster', {
      vpc: new Vpc(stack, 'Vpc'),
      executeCommandConfiguration: audit.configuration,
    });

    Template.fromStack(stack).hasResourceProperties('AWS::ECS::Cluster', {
      Configuration: {
        ExecuteCommandConfiguration: {
          Logging: 'OVERRIDE',
          KmsKeyId: Match.anyValue(),
          LogConfiguration: {
            CloudWatchLogGroupName: Match.anyValue(),
            CloudWatchEncryptionEnabled: true,
            S3BucketName: Match.anyValue(),
            S3EncryptionEnabled: true,
            S3KeyPrefix: 'exec',
          },
        },
      },
    });
  });

  it('says how a cluster that exists is configured', () => {
    const { stack, audit } = audited();

    expect(JSON.stringify(stack.resolve(audit.configureCommand('team')))).toContain(
      "aws ecs update-cluster --region eu-central-1 --cluster team --configuration 'executeCommandConfiguration={kmsKeyId=",
    );
  });

  it.each(Object.values(ExecAuditDestination))('has no finding of cdk-nag with %s', (destination) => {
    const { stack } = audited({ destination });

    expect(violations(stack)).toEqual([]);
  });
});
