import type { Command } from 'commander';
import { MngrFargateError } from '../../contract/errors';

/** The options that every command with a target takes. `--cluster` is one of the global options. */
export interface TargetOptions {
  readonly service?: string;
  readonly family?: string;
  readonly task?: string;
  readonly container?: string;
  readonly newest?: boolean;
  /** Of commands that connect to hosts over SSH. */
  readonly proxyJump?: string;
}

/** What a command acts on, as it was typed. */
export type GivenTarget =
  /** One of our hosts. */
  | { readonly kind: 'host'; readonly reference: string; readonly container?: string }
  /** `@NAME`. */
  | { readonly kind: 'named'; readonly name: string; readonly container?: string; readonly newest: boolean }
  /** Any task. */
  | { readonly kind: 'task'; readonly options: TargetOptions };

/** Adds the options that say which task is meant. The command's argument is `[target]`. */
export const addTargetOptions = (command: Command): Command =>
  command
    .option('--service <name>', 'a task of this ECS service of --cluster')
    .option('--family <name>', 'a task of this task definition (FAMILY or FAMILY:REVISION)')
    .option('--task <id>', "this task: its id, the id's beginning, or its ARN")
    .option(
      '--container <name>',
      "this container of the task (default: the only one, the service's, the essential one)",
    )
    .option('--newest', 'the newest of several tasks, without asking');

const selects = ({ service, family, task }: TargetOptions): boolean =>
  [service, family, task].some((option) => option !== undefined);

/** Help for the argument `[target]`. */
export const TARGET_ARGUMENT =
  'name, host id or ARN of a host, or @NAME of a target (or use --service, --family, --task)';

/**
 * What is meant by the argument and the options. `cluster` is that of the command line: without any other word it means
 * the tasks of that cluster. Throws `usage` where nothing, or more than one thing, is named.
 */
export function parseTarget(reference: string | undefined, options: TargetOptions, cluster?: string): GivenTarget {
  for (const [name, value] of Object.entries(options)) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === '') throw new MngrFargateError('usage', `--${flag} is empty; it needs a value`);
  }
  const given = targetIn(reference, options, cluster);
  if (given.kind === 'host' || options.proxyJump === undefined) return given;
  throw new MngrFargateError('usage', '--proxy-jump is for hosts: AWS leads to any other task, without a bastion');
}

function targetIn(reference: string | undefined, options: TargetOptions, cluster?: string): GivenTarget {
  if (reference === undefined) {
    if (selects(options) || cluster !== undefined) return { kind: 'task', options };
    throw new MngrFargateError('usage', 'the target is missing', {
      hint: 'give the name of a host, @NAME of a target, or --cluster with --service, --family or --task',
    });
  }
  if (selects(options)) {
    throw new MngrFargateError(
      'usage',
      `${JSON.stringify(reference)} and --service, --family or --task name two targets`,
      {
        hint: 'give one of them',
      },
    );
  }
  const { container, newest = false } = options;
  if (reference.startsWith('@')) return { kind: 'named', name: reference.slice(1), container, newest };
  if (!newest) return { kind: 'host', reference, container };
  throw new MngrFargateError('usage', '--newest chooses among several tasks, and a host is one task');
}
