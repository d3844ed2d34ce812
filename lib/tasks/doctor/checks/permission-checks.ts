import type { EvaluationResult } from '@aws-sdk/client-iam';
import type { DoctorFacts } from '../facts';
import type { Check, Finding } from '../finding';

const CHANNEL_ACTIONS = [
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
];

const refused = (results: readonly EvaluationResult[]): readonly EvaluationResult[] =>
  results.filter(({ EvalDecision }) => EvalDecision !== 'allowed');

/** What refuses: IAM says when it is not the principal's own policy. */
function refusedBy({ OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail, EvalDecision }: EvaluationResult) {
  if (OrganizationsDecisionDetail?.AllowedByOrganizations === false) return 'a policy of the organization';
  if (PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false) return 'the permissions boundary';
  return EvalDecision === 'explicitDeny' ? 'a Deny statement' : 'no policy that allows it';
}

const evidenceOf = (principal: string, resource: string, results: readonly EvaluationResult[]) => ({
  principal,
  resource,
  refused: results.map((result) => ({ action: result.EvalActionName, because: refusedBy(result) })),
});

const actionsOf = (results: readonly EvaluationResult[]): string =>
  results.map(({ EvalActionName }) => EvalActionName).join(', ');

const roleName = (arn: string): string => arn.split('/').pop() ?? arn;

/** A policy with one statement, as a command. */
const putPolicy = (role: string, actions: readonly string[], resource: string): string => {
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: resource }] };
  return `aws iam put-role-policy --role-name ${roleName(role)} --policy-name ecs-exec --policy-document '${JSON.stringify(policy)}'`;
};

const taskRole: Check = {
  id: 'task-role',
  async run(facts) {
    if ((await facts.taskRole()) !== undefined) return [];
    return [
      {
        id: 'task-role',
        severity: 'error',
        message: "the task has no role, so ECS Exec's agent has no credentials",
        evidence: { taskRoleArn: null },
        fix: `register a revision of ${facts.target.family} with a taskRoleArn whose role allows ${CHANNEL_ACTIONS.join(', ')}`,
      },
    ];
  },
};

/** Findings for what the task's role may not do; none without a role, which is a finding of its own. */
export async function roleLacks(
  facts: DoctorFacts,
  id: string,
  { actions, resource, why }: { readonly actions: readonly string[]; readonly resource: string; readonly why: string },
): Promise<Finding[]> {
  const role = await facts.taskRole();
  if (role === undefined) return [];
  const lacking = refused(await facts.simulate(role, actions, resource));
  if (lacking.length === 0) return [];
  return [
    {
      id,
      severity: 'error',
      message: `the task role ${roleName(role)} lacks ${actionsOf(lacking)}, ${why}`,
      evidence: evidenceOf(role, resource, lacking),
      fix: putPolicy(role, actions, resource),
    },
  ];
}

const taskRoleChannels: Check = {
  id: 'task-role-channels',
  run: (facts) =>
    roleLacks(facts, 'task-role-channels', {
      actions: CHANNEL_ACTIONS,
      resource: '*',
      why: "which ECS Exec's agent needs to connect",
    }),
};

/** The ARN of the cluster's KMS key; undefined without one. */
async function keyArn(facts: DoctorFacts): Promise<string | undefined> {
  const key = (await facts.execConfiguration())?.kmsKeyId;
  if (key === undefined || key.startsWith('arn:')) return key;
  const account = facts.target.taskArn.split(':')[4] ?? '';
  const resource = key.startsWith('alias/') ? key : `key/${key}`;
  return `arn:${facts.partition}:kms:${facts.region}:${account}:${resource}`;
}

const taskRoleKey: Check = {
  id: 'task-role-key',
  async run(facts) {
    const resource = await keyArn(facts);
    if (resource === undefined) return [];
    const why = "which it needs to read sessions that the cluster's key encrypts";
    return roleLacks(facts, 'task-role-key', { actions: ['kms:Decrypt'], resource, why });
  },
};

const callerKey: Check = {
  id: 'caller-key',
  async run(facts) {
    const resource = await keyArn(facts);
    const { principal } = await facts.caller();
    if (resource === undefined || principal === undefined) return [];
    const lacking = refused(await facts.simulate(principal, ['kms:GenerateDataKey'], resource));
    if (lacking.length === 0) return [];
    return [
      {
        id: 'caller-key',
        severity: 'error',
        message: "you lack kms:GenerateDataKey, which encrypts sessions with the cluster's key",
        evidence: evidenceOf(principal, resource, lacking),
        fix: `ask for kms:GenerateDataKey on ${resource}`,
      },
    ];
  },
};

const callerExecute: Check = {
  id: 'caller-execute',
  async run(facts) {
    const { principal } = await facts.caller();
    if (principal === undefined) return [];
    const { taskArn, container } = facts.target;
    const { clusterArn = '' } = await facts.task();
    const { tags = [] } = await facts.task();
    const context = {
      'ecs:container-name': container,
      'ecs:cluster': clusterArn,
      ...Object.fromEntries(
        tags.flatMap(({ key = '', value = '' }) => [
          [`ecs:ResourceTag/${key}`, value],
          [`aws:ResourceTag/${key}`, value],
        ]),
      ),
    };
    const answers = await Promise.all(
      [taskArn, clusterArn].map(async (resource) => {
        const lacking = refused(await facts.simulate(principal, ['ecs:ExecuteCommand'], resource, context));
        return lacking.length === 0 ? [] : [{ resource, lacking }];
      }),
    );
    return answers.flat().map(({ resource, lacking }): Finding => ({
      id: 'caller-execute',
      severity: 'error',
      message: `you lack ecs:ExecuteCommand on ${resource === taskArn ? 'the task' : 'the cluster'}: it is needed on both`,
      evidence: { ...evidenceOf(principal, resource, lacking), container },
      fix: `ask for ecs:ExecuteCommand on ${taskArn} and ${clusterArn}, without a condition that excludes container ${container}`,
    }));
  },
};

const callerStartSession: Check = {
  id: 'caller-start-session',
  async run(facts) {
    const { principal } = await facts.caller();
    if (principal === undefined) return [];
    const { taskArn } = facts.target;
    const results = await facts.simulate(principal, ['ssm:StartSession'], taskArn);
    if (results.length === 0 || refused(results).length > 0) return [];
    return [
      {
        id: 'caller-start-session',
        severity: 'warning',
        message: 'you may start sessions with the task directly (ssm:StartSession), which the cluster does not log',
        evidence: { principal, resource: taskArn },
        fix: 'deny ssm:StartSession on tasks to those who need no port forwarding or SSH',
      },
    ];
  },
};

/** Who may do what. */
export const PERMISSION_CHECKS: readonly Check[] = [
  taskRole,
  taskRoleChannels,
  taskRoleKey,
  callerExecute,
  callerKey,
  callerStartSession,
];
