import type { Diagnosis, SshAddress, Target } from '../../tasks/index';
import type { CliContext } from '../context';
import { hasColour } from '../io';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import { diagnosisText } from '../render/diagnosis';
import type { CommandRegistration } from '../runner';
import { resolveOptions, taskChoice } from '../target';
import type { TaskChoice } from '../target';

/** Something is wrong with the target. */
const EXIT_UNWELL = 1;

async function doctor(context: CliContext, reference: string | undefined, options: TargetOptions): Promise<number> {
  const given = parseTarget(reference, options, context.options.cluster);
  const { choice, address } =
    given.kind === 'host'
      ? await hostChoice(context, given)
      : { choice: await taskChoice(context, given), address: undefined };
  const { diagnose, hasErrors, resolveTarget, withDirectWay } = await import('../../tasks/index.js');
  const { place, selector, newest } = choice;
  return context.withTasks(place, async (tasks) => {
    // A task that is named is looked at even when it has stopped.
    const stopped = selector.task !== undefined;
    const target = await resolveTarget(tasks, selector, { ...resolveOptions(context), newest, stopped });
    const found = await diagnose(tasks, target, context.signal);
    const diagnosis = address === undefined ? found : await withDirectWay(found, address, context.signal);
    show(context, target, diagnosis);
    return hasErrors(diagnosis) ? EXIT_UNWELL : 0;
  });
}

function show(context: CliContext, target: Target, { findings, unchecked }: Diagnosis): void {
  const { taskArn, cluster, region, service, family, revision, container } = target;
  const document = {
    target: { taskArn, cluster, region, service, family, revision, container },
    findings,
    unchecked,
  };
  const colour = hasColour(context.io.stdout, context.io.environment);
  context.result(document, () => diagnosisText(target, { findings, unchecked }, colour));
}

/** A host as a task, and where its sshd is. */
async function hostChoice(
  context: CliContext,
  { reference, container }: { readonly reference: string; readonly container?: string },
): Promise<{ readonly choice: TaskChoice; readonly address: SshAddress | null }> {
  const { config } = await context.loadConfig();
  const host = await context.withHosts((hosts) => hosts.get(reference, { signal: context.signal }));
  const place = { region: config.aws_region, profile: config.aws_profile, roleArn: config.aws_role_arn };
  const selector = {
    cluster: config.ecs_cluster,
    task: host.taskArn,
    container: container ?? config.container_name,
  };
  return { choice: { place, selector, newest: false }, address: host.address };
}

/** `doctor TARGET` */
export const doctorCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('doctor')
    .description('find out why a container cannot be reached with ECS Exec')
    .argument('[target]', TARGET_ARGUMENT);
  addTargetOptions(command).action(runner.action(doctor));
};
