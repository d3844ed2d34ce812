import type { Duration } from 'aws-cdk-lib';
import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import { ephemeralStorageProblem, fargateSizeProblem } from '../../contract/fargate-sizes';
import { isHostName, isProviderName } from '../../contract/host-name';
import { publicKeyProblem, tagProblem, variableProblem } from '../../contract/host-rules';
import { HOST_TAGS, MAX_TAGS_PER_TASK } from '../../contract/tags';
import { hasToken } from '../checks/tokens';
import type { AgentTaskProps } from './agent-task-props';

/** Variables that the host itself sets. */
const RESERVED_VARIABLE = /^(?:MNGR_|AWS_CONTAINER_|ECS_CONTAINER_)/;
/** Names that end like those of secrets. Names of secrets (`…_SECRET_ARN`) are not secrets. */
const SECRET_VARIABLE =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_KEY|CREDENTIALS?)$/i;
/**
 * RunTask allows 8192 characters for all settings of a host (ECS API, TaskOverride). The rest is reserved for our own
 * variables.
 */
const MAX_SETTINGS = 5000;
const MIN_MAX_AGE_SECONDS = 60;

/**
 * Everything that is wrong with the props, as far as the synthesis can tell: values that are only known at deployment
 * are accepted.
 */
export function agentTaskProblems(props: AgentTaskProps): string[] {
  const { environment, name, providerName, publicKey, authorizedKeys = [] } = props;
  const cpu = props.cpu ?? environment.taskDefinition.cpu;
  const memory = props.memoryLimitMiB ?? environment.taskDefinition.memoryLimitMiB;
  const storage = props.ephemeralStorageGiB;
  return [
    known(name) && !isHostName(name)
      ? `${JSON.stringify(name)} is not a valid host name: use letters, digits, \`-\` and \`_\`, at most 63, the first and last a letter or digit`
      : undefined,
    known(providerName) && providerName !== undefined && !isProviderName(providerName)
      ? `${JSON.stringify(providerName)} is not a valid provider name: use letters, digits, \`-\` and \`_\`, at most 49`
      : undefined,
    ...[publicKey, ...authorizedKeys].map((key) => (known(key) ? publicKeyProblem(key) : undefined)),
    known(cpu) && known(memory) ? fargateSizeProblem(cpu, memory) : undefined,
    known(storage) && storage !== undefined ? ephemeralStorageProblem(storage) : undefined,
    durationProblem('idleTimeout', props.idleTimeout, 0, Infinity),
    durationProblem('maxAge', props.maxAge, MIN_MAX_AGE_SECONDS, Infinity),
    (props.maxAge !== undefined || environment.defaultMaxAgeSeconds !== undefined) && !environment.hasReaper
      ? 'the environment has no reaper, which is what ends a host at its maximum age: leave out maxAge and defaultMaxAge, or give it one'
      : undefined,
    durationProblem('timeout', props.timeout, 1, AGENT_TASK_TIMEOUT.max),
    ...settingsProblems(props),
    ...tagProblems(props.tags ?? {}),
  ].filter((problem) => problem !== undefined);
}

const known = (value: unknown): boolean => !hasToken(value);

function durationProblem(
  what: string,
  duration: Duration | undefined,
  least: number,
  most: number,
): string | undefined {
  if (duration === undefined || duration.isUnresolved()) return undefined;
  const seconds = duration.toSeconds({ integral: false });
  if (Number.isInteger(seconds) && seconds >= least && seconds <= most) return undefined;
  const allowed = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  return `${what} of ${seconds} seconds is not possible: use ${allowed} whole seconds`;
}

function settingsProblems({ command, env = {} }: AgentTaskProps): (string | undefined)[] {
  const size = JSON.stringify([command, env]).length;
  return [
    command !== undefined && known(command) && (command.length === 0 || command[0] === '')
      ? 'the command is empty: give a program, or leave it out'
      : undefined,
    ...Object.keys(env).map(envProblem),
    known([command, env]) && size > MAX_SETTINGS
      ? `command and env take ${size} characters, and at most ${MAX_SETTINGS} fit: put files into the image instead`
      : undefined,
  ];
}

function envProblem(name: string): string | undefined {
  if (!known(name)) return undefined;
  if (RESERVED_VARIABLE.test(name)) return `env ${name} is reserved: the host sets it itself`;
  if (SECRET_VARIABLE.test(name)) {
    return `env ${name} looks like a secret, and anyone who may read the stack or describe ECS tasks could read it: add the secret to the environment's \`secrets\` and read it on the host`;
  }
  return variableProblem(name);
}

function tagProblems(tags: Record<string, string>): (string | undefined)[] {
  const entries = Object.entries(tags);
  const most = MAX_TAGS_PER_TASK - Object.keys(HOST_TAGS).length;
  return [
    ...entries.map(([key, value]) => (known(key) && known(value) ? tagProblem(key, value) : undefined)),
    entries.length > most ? `${entries.length} tags are too many: a host may have ${most}` : undefined,
  ];
}
