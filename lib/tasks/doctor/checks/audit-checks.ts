import type { ExecuteCommandLogConfiguration } from '@aws-sdk/client-ecs';
import type { DoctorFacts } from '../facts';
import type { Check } from '../finding';
import { roleLacks } from './permission-checks';

const LOG_ACTIONS = ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'];

/** Where the cluster wants sessions logged; undefined where it names no place of its own. */
async function override(facts: DoctorFacts): Promise<ExecuteCommandLogConfiguration | undefined> {
  const configuration = await facts.execConfiguration();
  return configuration?.logging === 'OVERRIDE' ? configuration.logConfiguration : undefined;
}

const auditLogging: Check = {
  id: 'audit-logging',
  async run(facts) {
    const configuration = await facts.execConfiguration();
    const { cluster } = facts.target;
    const evidence = { logging: configuration?.logging ?? null };
    if (configuration?.logging === 'NONE') {
      return [
        {
          id: 'audit-logging',
          severity: 'warning',
          message: 'the cluster does not log what is done in sessions',
          evidence,
          fix: `aws ecs update-cluster --cluster ${cluster} --configuration executeCommandConfiguration={logging=DEFAULT} --region ${facts.region}`,
        },
      ];
    }
    if (configuration?.logging === 'OVERRIDE') return [];
    const { logConfiguration } = await facts.containerDefinition();
    if (logConfiguration?.logDriver === 'awslogs') return [];
    return [
      {
        id: 'audit-logging',
        severity: 'info',
        message: 'sessions are not logged: the cluster names no place, and the container does not log with awslogs',
        evidence: { ...evidence, logDriver: logConfiguration?.logDriver ?? null },
        fix: 'name a log group in executeCommandConfiguration of the cluster',
      },
    ];
  },
};

const auditTools: Check = {
  id: 'audit-tools',
  async run(facts) {
    const configuration = await facts.execConfiguration();
    if (configuration === undefined || configuration.logging === 'NONE') return [];
    return [
      {
        id: 'audit-tools',
        severity: 'info',
        message:
          'sessions are logged only if the image has the programs script and cat, which cannot be seen from here',
        evidence: { logging: configuration.logging ?? 'DEFAULT' },
        fix: `mngr-fargate exec --task ${facts.target.taskArn} --container ${facts.target.container} -- sh -c 'command -v script cat'`,
      },
    ];
  },
};

const auditLogGroup: Check = {
  id: 'audit-log-group',
  async run(facts) {
    const { cloudWatchLogGroupName: name, cloudWatchEncryptionEnabled } = (await override(facts)) ?? {};
    if (name === undefined) return [];
    const group = await facts.logGroup(name);
    const evidence = { logGroup: name, kmsKeyId: group?.kmsKeyId ?? null, exists: group !== undefined };
    if (group === undefined) {
      return [
        {
          id: 'audit-log-group',
          severity: 'error',
          message: `sessions should be logged to ${name}, which does not exist`,
          evidence,
          fix: `aws logs create-log-group --log-group-name ${name} --region ${facts.region}`,
        },
      ];
    }
    if (cloudWatchEncryptionEnabled !== true || group.kmsKeyId !== undefined) return [];
    return [
      {
        id: 'audit-log-group',
        severity: 'error',
        message: `the cluster wants encrypted logs, and log group ${name} has no KMS key: sessions end at once`,
        evidence,
        fix: `aws logs associate-kms-key --log-group-name ${name} --kms-key-id KEY_ARN --region ${facts.region}`,
      },
    ];
  },
};

const auditLogPermissions: Check = {
  id: 'audit-log-permissions',
  async run(facts) {
    const { cloudWatchLogGroupName: name } = (await override(facts)) ?? {};
    if (name === undefined) return [];
    const account = facts.target.taskArn.split(':')[4] ?? '';
    const resource = `arn:${facts.partition}:logs:${facts.region}:${account}:log-group:${name}:*`;
    const why = `which it needs to log sessions to ${name}`;
    const findings = await Promise.all([
      roleLacks(facts, 'audit-log-permissions', { actions: LOG_ACTIONS, resource, why }),
      roleLacks(facts, 'audit-log-permissions', { actions: ['logs:DescribeLogGroups'], resource: '*', why }),
    ]);
    return findings.flat();
  },
};

const auditBucketPermissions: Check = {
  id: 'audit-bucket-permissions',
  async run(facts) {
    const { s3BucketName: bucket, s3KeyPrefix = '', s3EncryptionEnabled } = (await override(facts)) ?? {};
    if (bucket === undefined) return [];
    const arn = `arn:${facts.partition}:s3:::${bucket}`;
    const why = `which it needs to log sessions to bucket ${bucket}`;
    const objects = { actions: ['s3:PutObject'], resource: `${arn}/${s3KeyPrefix}*`, why };
    const encryption = { actions: ['s3:GetEncryptionConfiguration'], resource: arn, why };
    const findings = await Promise.all(
      [objects, ...(s3EncryptionEnabled === true ? [encryption] : [])].map((wanted) =>
        roleLacks(facts, 'audit-bucket-permissions', wanted),
      ),
    );
    return findings.flat();
  },
};

/** Whether sessions are logged, and whether that stands in their way. */
export const AUDIT_CHECKS: readonly Check[] = [
  auditLogging,
  auditTools,
  auditLogGroup,
  auditLogPermissions,
  auditBucketPermissions,
];
