import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { ExecuteCommandConfiguration } from 'aws-cdk-lib/aws-ecs';
import { ExecuteCommandLogging } from 'aws-cdk-lib/aws-ecs';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Grant, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledgeFinding, wildcardFinding } from '../checks/nag-acknowledgement';

/** Prefix of the names of transcripts in a bucket. */
const PREFIX = 'exec';

/** Where the transcripts of ECS Exec go. */
export enum ExecAuditDestination {
  /** A log group in CloudWatch Logs. */
  LOGS = 'logs',

  /** A bucket in S3. */
  BUCKET = 'bucket',

  /** Both. */
  BOTH = 'both',
}

export interface ExecAuditProps {
  /**
   * @default ExecAuditDestination.LOGS
   */
  readonly destination?: ExecAuditDestination;

  /**
   * Encrypts sessions in transit and transcripts at rest. The policy of a key that another stack owns must let
   * CloudWatch Logs use it, which can't be added from here.
   *
   * @default - a new key, rotated every year
   */
  readonly encryptionKey?: IKey;

  /**
   * How long transcripts are kept.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly retention?: RetentionDays;

  /**
   * What happens to transcripts when this construct is deleted.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Records what is typed and shown in sessions of ECS Exec: a key, a log group or bucket, and the settings of the
 * cluster that send transcripts there. Sessions that ssm:StartSession opens are not recorded by AWS, SSH and port
 * forwarding among them (`DenySessionsPolicy` closes that way).
 *
 * A new cluster takes `configuration`; `configureCommand` sets the same for an existing cluster. Tasks need
 * `grantTask`, since the agent in the task writes the transcript, and `script` and `cat` in their image. Callers need
 * `grantCaller`.
 */
export class ExecAudit extends Construct {
  readonly encryptionKey: IKey;

  /** Undefined if transcripts only go to a bucket. */
  readonly logGroup: ILogGroup | undefined;

  /** Undefined if transcripts only go to a log group. */
  readonly bucket: IBucket | undefined;

  constructor(scope: Construct, id: string, props: ExecAuditProps = {}) {
    super(scope, id);
    const { destination = ExecAuditDestination.LOGS, retention = RetentionDays.THREE_MONTHS } = props;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;

    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', { description: 'Sessions of ECS Exec', enableKeyRotation: true, removalPolicy });
    if (destination !== ExecAuditDestination.BUCKET) {
      allowLogs(this, this.encryptionKey);
      this.logGroup = new LogGroup(this, 'Logs', { retention, removalPolicy, encryptionKey: this.encryptionKey });
    }
    if (destination !== ExecAuditDestination.LOGS) this.bucket = this.makeBucket(retention, removalPolicy);
  }

  /** For `executeCommandConfiguration` of a new cluster. */
  get configuration(): ExecuteCommandConfiguration {
    return {
      kmsKey: this.encryptionKey,
      logging: ExecuteCommandLogging.OVERRIDE,
      logConfiguration: {
        ...(this.logGroup !== undefined && {
          cloudWatchLogGroup: this.logGroup,
          cloudWatchEncryptionEnabled: true,
        }),
        ...(this.bucket !== undefined && { s3Bucket: this.bucket, s3EncryptionEnabled: true, s3KeyPrefix: PREFIX }),
      },
    };
  }

  /** The AWS CLI command that applies this configuration to an existing cluster, for an output of the stack. */
  configureCommand(clusterName: string): string {
    const log = [
      ...(this.logGroup === undefined
        ? []
        : [`cloudWatchLogGroupName=${this.logGroup.logGroupName}`, 'cloudWatchEncryptionEnabled=true']),
      ...(this.bucket === undefined
        ? []
        : [`s3BucketName=${this.bucket.bucketName}`, 's3EncryptionEnabled=true', `s3KeyPrefix=${PREFIX}`]),
    ];
    const configuration = `{kmsKeyId=${this.encryptionKey.keyArn},logging=OVERRIDE,logConfiguration={${log.join(',')}}}`;
    const { region } = Stack.of(this);
    return `aws ecs update-cluster --region ${region} --cluster ${clusterName} --configuration 'executeCommandConfiguration=${configuration}'`;
  }

  /** Lets the agent in a task decrypt its sessions and write their transcripts; for the task's role. */
  grantTask(role: IGrantable): void {
    const { encryptionKey, logGroup, bucket } = this;
    encryptionKey.grant(role, 'kms:Decrypt', ...(bucket === undefined ? [] : ['kms:GenerateDataKey']));
    if (logGroup !== undefined) {
      grantWithWildcard(
        role,
        ['logs:DescribeLogGroups'],
        '*',
        'It lists the log groups of the account, and reads only.',
      );
      grantWithWildcard(
        role,
        ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        logGroup.logGroupArn,
        'Every stream of the one log group, as each session makes one.',
      );
    }
    if (bucket !== undefined) {
      Grant.addToPrincipal({
        grantee: role,
        actions: ['s3:GetBucketLocation', 's3:GetEncryptionConfiguration'],
        resourceArns: [bucket.bucketArn],
      });
      grantWithWildcard(
        role,
        ['s3:PutObject'],
        bucket.arnForObjects(`${PREFIX}/*`),
        'A transcript is called after its session, whose id is made up at its start.',
      );
    }
  }

  /** Lets a caller of ecs:ExecuteCommand generate the key that a session is encrypted with. */
  grantCaller(caller: IGrantable): void {
    this.encryptionKey.grant(caller, 'kms:GenerateDataKey');
  }

  private makeBucket(retention: RetentionDays, removalPolicy: RemovalPolicy): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      encryption: BucketEncryption.KMS,
      encryptionKey: this.encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy,
      lifecycleRules: retention === RetentionDays.INFINITE ? [] : [{ expiration: Duration.days(retention) }],
    });
    acknowledgeFinding(
      bucket,
      'AwsSolutions-S1',
      'Reads of transcripts are data events, which a trail of the account records; access logs would be a second bucket to keep.',
    );
    return bucket;
  }
}

/** CloudWatch Logs encrypts with a key only if the key's own policy lets it (CloudWatch Logs user guide, "Encrypt log data"). */
function allowLogs(scope: Construct, key: IKey): void {
  const stack = Stack.of(scope);
  // The log group can't be named: it needs the key, so the key can't wait for the name that the log group gets.
  const logGroups = stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'EncryptTranscripts',
      principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
    }),
  );
}

function grantWithWildcard(grantee: IGrantable, actions: string[], resource: string, reason: string): void {
  Grant.addToPrincipal({ grantee, actions, resourceArns: [resource] });
  const { grantPrincipal } = grantee;
  if (Construct.isConstruct(grantPrincipal)) {
    acknowledgeFinding(grantPrincipal, wildcardFinding(grantPrincipal, resource), reason);
  }
}
