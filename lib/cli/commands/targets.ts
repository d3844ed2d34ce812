import { MngrFargateError } from '../../contract/errors';
import type { NamedTarget } from '../../mngr/index';
import type { CliContext } from '../context';
import { renderTable } from '../render/table';
import type { CommandRegistration } from '../runner';
import { taskPlace } from '../target';

/** A target as `--json` shows it: null for what it doesn't say. */
const targetView = (name: string, target: NamedTarget) => ({
  name,
  cluster: target.cluster,
  service: target.service ?? null,
  family: target.family ?? null,
  task: target.task ?? null,
  container: target.container ?? null,
  region: target.aws_region ?? null,
});

type TargetView = ReturnType<typeof targetView>;

const HEADINGS = ['NAME', 'CLUSTER', 'OF', 'CONTAINER', 'REGION'];

function targetTable(views: readonly TargetView[]): string {
  if (views.length === 0) return 'no targets\n';
  const rows = views.map(({ name, cluster, service, family, task, container, region }) => {
    const of = [service, family === null ? null : `family ${family}`, task === null ? null : `task ${task}`];
    return [`@${name}`, cluster, of.filter((part) => part !== null).join(', ') || '-', container ?? '-', region ?? '-'];
  });
  return renderTable([HEADINGS, ...rows]);
}

async function list(context: CliContext): Promise<void> {
  const { readTargets } = await import('../../mngr/index.js');
  const { file, targets, problems } = await readTargets(await context.baseDirectory());
  for (const [name, problem] of problems) context.note(`${file} [targets.${name}]: ${problem}`);
  const views = [...targets].map(([name, target]) => targetView(name, target));
  context.result(views, () => targetTable(views));
}

interface SetOptions {
  readonly service?: string;
  readonly family?: string;
  readonly task?: string;
  readonly container?: string;
}

async function set(context: CliContext, name: string, options: SetOptions): Promise<void> {
  const { service, family, task, container } = options;
  const { writeTargets } = await import('../../mngr/index.js');
  const { placeInSelector } = await import('../../tasks/index.js');
  const { region, profile, roleArn } = context.options;
  const said = placeInSelector({ service, family, task, cluster: context.options.cluster });
  if (said.cluster === undefined) {
    throw new MngrFargateError('usage', 'the cluster is missing', {
      hint: 'name it with --cluster, or give the ARN of a service or task',
    });
  }
  const target: NamedTarget = {
    cluster: said.cluster,
    service,
    family,
    task,
    container,
    aws_region: said.region ?? region,
    aws_profile: profile,
    aws_role_arn: roleArn,
  };
  const file = await writeTargets(await context.baseDirectory(), new Map([[bare(name), target]]));
  context.result(targetView(bare(name), target), () => `wrote [targets.${bare(name)}] into ${file}\n`);
}

/** People write a target's name as they use it. */
const bare = (name: string): string => (name.startsWith('@') ? name.slice(1) : name);

async function remove(context: CliContext, name: string): Promise<void> {
  const { removeTarget } = await import('../../mngr/index.js');
  const file = await removeTarget(await context.baseDirectory(), bare(name));
  context.result({ removed: bare(name) }, () => `removed [targets.${bare(name)}] from ${file}\n`);
}

interface ImportOptions {
  readonly stripPrefix?: string;
}

async function importServices(context: CliContext, { stripPrefix = '' }: ImportOptions): Promise<void> {
  const place = await taskPlace(context, { cluster: context.options.cluster });
  const { serviceTargets } = await import('../../tasks/index.js');
  const services = await context.withTasks(place, (tasks) => serviceTargets(tasks, place.cluster, context.signal));
  const { readTargets, writeTargets } = await import('../../mngr/index.js');
  const base = await context.baseDirectory();
  const { targets: present } = await readTargets(base);
  const { profile, roleArn } = context.options;
  const targets = new Map(
    services.map(({ service, container }): [string, NamedTarget] => {
      const name = service.startsWith(stripPrefix) ? service.slice(stripPrefix.length) || service : service;
      const before = present.get(name);
      const target = {
        cluster: place.cluster,
        service,
        container: container ?? undefined,
        aws_region: place.region,
        aws_profile: profile ?? before?.aws_profile,
        aws_role_arn: roleArn ?? before?.aws_role_arn,
      };
      return [name, target];
    }),
  );
  if (targets.size > 0) await writeTargets(base, targets);
  const views = [...targets].map(([name, target]) => targetView(name, target));
  context.result(views, () => (views.length === 0 ? `cluster ${place.cluster} has no services\n` : targetTable(views)));
}

/** `targets list`, `targets set`, `targets remove` and `targets import` */
export const targetsCommand: CommandRegistration = (program, runner) => {
  const targets = program.command('targets').description('short names (@NAME) for containers of ECS tasks');
  targets.command('list').description('list the targets of config.toml').action(runner.action(list));
  targets
    .command('set')
    .description('write a target into config.toml; --cluster, --region, --profile and --role-arn are kept with it')
    .argument('<name>', 'name of the target')
    .option('--service <name>', 'ECS service')
    .option('--family <name>', 'task definition (FAMILY or FAMILY:REVISION)')
    .option('--task <id>', "a task: its id, the id's beginning, or its ARN")
    .option('--container <name>', 'container')
    .action(runner.action(set));
  targets
    .command('remove')
    .description('remove a target from config.toml')
    .argument('<name>', 'name of the target')
    .action(runner.action(remove));
  targets
    .command('import')
    .description('write a target for each service of a cluster (--cluster)')
    .option('--strip-prefix <text>', 'prefix to strip from the names of the services')
    .action(runner.action(importServices));
};
