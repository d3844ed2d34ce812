import { readFile } from 'node:fs/promises';
import { MngrFargateError } from '../../contract/errors';
import { DEFAULT_STACK_NAME, STACK_OUTPUTS } from '../../contract/outputs';
import { SANDBOX_OUTPUTS } from '../../contract/sandbox-outputs';
import type { ProviderKey } from './provider-key';

/** Outputs of one stack by name. */
export interface StackOutputs {
  readonly stackName: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Whom an environment's outputs are read for: its agents' hosts, or its sandboxes, which not every stack has. */
export type StackPart = 'hosts' | 'sandboxes';

type OutputOfKey = Readonly<Partial<Record<ProviderKey, string>>>;

const OUTPUT_OF_HOSTS: OutputOfKey = {
  aws_region: STACK_OUTPUTS.awsRegion,
  ecs_cluster: STACK_OUTPUTS.ecsCluster,
  task_definition: STACK_OUTPUTS.taskDefinition,
  subnets: STACK_OUTPUTS.subnets,
  security_groups: STACK_OUTPUTS.securityGroups,
  assign_public_ip: STACK_OUTPUTS.assignPublicIp,
  container_name: STACK_OUTPUTS.containerName,
  cpu: STACK_OUTPUTS.cpu,
  memory: STACK_OUTPUTS.memory,
  aws_role_arn: STACK_OUTPUTS.operatorRoleArn,
  default_idle_timeout: STACK_OUTPUTS.defaultIdleTimeout,
  default_max_age: STACK_OUTPUTS.defaultMaxAge,
  architecture: STACK_OUTPUTS.architecture,
  log_group: STACK_OUTPUTS.logGroup,
  proxy_jump: STACK_OUTPUTS.proxyJump,
};

const OUTPUT_OF_SANDBOXES: OutputOfKey = {
  aws_region: STACK_OUTPUTS.awsRegion,
  ecs_cluster: SANDBOX_OUTPUTS.ecsCluster,
  task_definition: SANDBOX_OUTPUTS.taskDefinition,
  subnets: SANDBOX_OUTPUTS.subnets,
  security_groups: SANDBOX_OUTPUTS.securityGroups,
  container_name: SANDBOX_OUTPUTS.containerName,
  cpu: SANDBOX_OUTPUTS.cpu,
  memory: SANDBOX_OUTPUTS.memory,
  architecture: STACK_OUTPUTS.architecture,
  log_group: SANDBOX_OUTPUTS.logGroup,
};

/** The output that sets a key of the provider block. */
const OUTPUT_OF_KEY: Readonly<Record<StackPart, OutputOfKey>> = {
  hosts: OUTPUT_OF_HOSTS,
  sandboxes: OUTPUT_OF_SANDBOXES,
};

/** The settings that a stack's outputs give, as text, each with the output it comes from. */
export function settingsOfOutputs(
  outputs: Readonly<Record<string, string>>,
  part: StackPart = 'hosts',
): { key: ProviderKey; text: string; output: string }[] {
  return Object.entries(OUTPUT_OF_KEY[part]).flatMap(([key, output]) => {
    const text = outputs[output];
    return text === undefined ? [] : [{ key: key as ProviderKey, text, output }];
  });
}

/** True for the outputs of an environment's stack, false for those of any other stack. */
export const isEnvironment = (outputs: Readonly<Record<string, string>>): boolean =>
  STACK_OUTPUTS.ecsCluster in outputs && STACK_OUTPUTS.taskDefinition in outputs;

/** True for the outputs of an environment that has sandboxes too. */
export const hasSandboxes = (outputs: Readonly<Record<string, string>>): boolean =>
  isEnvironment(outputs) && SANDBOX_OUTPUTS.ecsCluster in outputs && SANDBOX_OUTPUTS.taskDefinition in outputs;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textsOf = (record: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));

/** `aws cloudformation describe-stacks`: `{ Stacks: [{ StackName, Outputs: [{ OutputKey, OutputValue }] }] }`. */
function describedStacks(stacks: readonly unknown[]): StackOutputs[] {
  return stacks.filter(isRecord).map((stack) => ({
    stackName: String(stack.StackName),
    outputs: Object.fromEntries(
      (Array.isArray(stack.Outputs) ? stack.Outputs : [])
        .filter(isRecord)
        .map(({ OutputKey, OutputValue }) => [String(OutputKey), String(OutputValue)]),
    ),
  }));
}

/** All stacks in a parsed outputs file, of either kind. */
function stacksIn(document: unknown): StackOutputs[] {
  if (!isRecord(document)) return [];
  if (Array.isArray(document.Stacks)) return describedStacks(document.Stacks);
  return Object.entries(document).flatMap(([stackName, outputs]) =>
    isRecord(outputs) ? [{ stackName, outputs: textsOf(outputs) }] : [],
  );
}

/**
 * Reads what `cdk deploy --outputs-file` or `aws cloudformation describe-stacks` wrote. With several environments in
 * the file, `stackName` says which; without it the default name wins, and a single one needs no name.
 */
export async function readOutputsFile(path: string, stackName?: string): Promise<StackOutputs> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MngrFargateError('usage', `${path} cannot be read: ${error.code ?? error.message}`, { cause: error });
  });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new MngrFargateError('usage', `${path} is not JSON`, {
      cause: error,
      hint: 'give the file that "cdk deploy --outputs-file" or "aws cloudformation describe-stacks" wrote',
    });
  }
  const stacks = stacksIn(document);
  const environments = stacks.filter(({ outputs }) => isEnvironment(outputs));
  const named = environments.find((stack) => stack.stackName === (stackName ?? DEFAULT_STACK_NAME));
  if (named !== undefined) return named;
  const [only, ...others] = environments;
  if (stackName === undefined && only !== undefined && others.length === 0) return only;
  const names = environments.map((stack) => stack.stackName);
  if (stackName === undefined && names.length > 1) {
    throw new MngrFargateError('usage', `${path} has the outputs of ${names.join(', ')}`, {
      hint: 'name one with --stack',
    });
  }
  throw new MngrFargateError(
    'not-found',
    stackName === undefined
      ? `${path} has no outputs of an mngr-fargate stack`
      : `${path} has no outputs of a stack ${stackName}`,
    { hint: `stacks in it: ${stacks.map((stack) => stack.stackName).join(', ') || 'none'}` },
  );
}
