import type { Command } from 'commander';
import { Option } from 'commander';
import type { Override } from '../mngr/index';
import { keyValues } from './parse/key-value';

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly provider: string;
  readonly stack?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly roleArn?: string;
  readonly cluster?: string;
  readonly set?: readonly string[];
  /** Only on the commands that connect to hosts. */
  readonly proxyJump?: string;
  readonly json?: boolean;
  readonly contract?: string;
  readonly verbose?: boolean;
}

/** Collects a repeatable option. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export const addGlobalOptions = (program: Command): Command =>
  program
    .addOption(new Option('--provider <name>', 'provider block to use').env('MNGR_FARGATE_PROVIDER').default('fargate'))
    .addOption(
      new Option('--stack <name>', 'take the settings from this stack instead of the provider block').env(
        'MNGR_FARGATE_STACK',
      ),
    )
    .option('--region <region>', 'AWS region')
    .option('--profile <name>', 'profile of the AWS configuration')
    .option('--role-arn <arn>', 'role to assume')
    .option('--cluster <name>', 'ECS cluster')
    .option('--set <key=value>', 'any other key of the provider block, repeatable', collect)
    .option('--json', 'print one JSON document, also for errors')
    .option('--contract <version>', 'refuse to run if the JSON has another version (docs/cli.md)')
    .option('-v, --verbose', 'print on stderr what is being done, and all details of errors');

/** For a command that connects to hosts. */
export const addJumpOption = (command: Command): Command =>
  command.option(
    '-J, --proxy-jump <hosts>',
    'bastions to a host, [user@]host[:port] with commas between, or none; as `proxy_jump` of the provider block',
  );

/** The settings of the provider block among the options. */
export function overridesOf(options: GlobalOptions): Override[] {
  const named = [
    { key: 'aws_region', text: options.region, source: '--region' },
    { key: 'aws_profile', text: options.profile, source: '--profile' },
    { key: 'aws_role_arn', text: options.roleArn, source: '--role-arn' },
    { key: 'ecs_cluster', text: options.cluster, source: '--cluster' },
    { key: 'proxy_jump', text: options.proxyJump, source: '--proxy-jump' },
  ].flatMap(({ text, ...rest }) => (text === undefined ? [] : [{ text, ...rest }]));
  const others = Object.entries(keyValues(options.set ?? [], '--set')).map(([key, text]) => ({
    key,
    text,
    source: `--set ${key}`,
  }));
  return [...others, ...named];
}
