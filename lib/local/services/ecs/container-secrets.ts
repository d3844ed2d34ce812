import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import type { Principal } from '../../iam/principal';
import type { World } from '../../world';
import { secrets } from '../secretsmanager/secrets';
import { resourceFailure } from './start-failure';
import type { TaskRecord } from './task-record';
import { taskDefinitions } from './task-definitions';

const ACTION = 'secretsmanager:GetSecretValue';
/** `arn:aws:secretsmanager:region:account:secret:name:json-key:version-stage:version-id`, with the last three optional. */
const REFERENCE = /^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(?::([^:]*):([^:]*):([^:]*))?$/;
const CURRENT = 'AWSCURRENT';

const failure = (reason: string): Error =>
  resourceFailure(
    `unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: ${reason}`,
  );

/**
 * The variables that a container gets for its `secrets`, fetched with the task's execution role (ECS developer guide,
 * "Pass Secrets Manager secrets through Amazon ECS environment variables"). They are asked for at each start, and kept
 * nowhere. Throws StartFailure with ECS's reason for one that can't be had.
 */
export function secretVariables(
  world: World,
  record: TaskRecord,
  container: ContainerDefinition,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (container.secrets ?? []).map(({ name = '', valueFrom = '' }) => [name, valueOf(world, record, valueFrom)]),
  );
}

function valueOf(world: World, record: TaskRecord, valueFrom: string): string {
  const [, arn, key = '', stage = '', version = ''] = REFERENCE.exec(valueFrom) ?? [];
  if (arn === undefined) {
    throw failure(`the local endpoint has no Systems Manager parameters, so ${valueFrom} can't be fetched`);
  }
  if ((stage !== '' && stage !== CURRENT) || version !== '') {
    throw failure(`the local endpoint has only the version ${CURRENT} of secrets, so ${valueFrom} can't be fetched`);
  }
  const fetching = `failed to fetch secret ${arn} from secrets manager`;
  const refusal = world.iam.refusalOf(executionRoleOf(world, record), {
    action: ACTION,
    resource: arn,
    context: { 'secretsmanager:SecretId': arn },
  });
  if (refusal !== undefined) throw failure(`${fetching}: AccessDeniedException: ${refusal}`);
  const known = world.part(secrets);
  const text = known.textOf(arn);
  if (text === undefined) {
    const what = known.has(arn) ? `secret value for staging label: ${CURRENT}` : 'secret.';
    throw failure(`${fetching}: ResourceNotFoundException: Secrets Manager can't find the specified ${what}`);
  }
  return key === '' ? text : memberOf(text, key, arn);
}

/** What a secret's JSON has under a key. No error of this quotes the text. */
function memberOf(text: string, key: string, arn: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw failure(`the secret ${arn} is not valid JSON, so the key ${key} can't be read`);
  }
  const members = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  if (!Object.hasOwn(members, key)) {
    throw failure(`retrieved secret from Secrets Manager did not contain json key ${key}`);
  }
  const member = members[key];
  return typeof member === 'string' ? member : JSON.stringify(member);
}

/** The session of the execution role in which Fargate works for a task. */
function executionRoleOf(world: World, { id, task }: TaskRecord): Principal {
  const definition = world.part(taskDefinitions).find(task.taskDefinitionArn ?? '')?.definition;
  const roleArn = task.overrides?.executionRoleArn ?? definition?.executionRoleArn;
  if (roleArn === undefined) throw failure('the task definition has no execution role (executionRoleArn)');
  const { accountId } = world.place;
  return {
    kind: 'session',
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleArn.split('/').at(-1)}/${id}`,
    userId: `${world.iam.roles.get(roleArn)?.id ?? roleArn}:${id}`,
    roleArn,
    sessionPolicies: [],
    expiresAt: world.clock.now(),
  };
}
