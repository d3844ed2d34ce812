import { MngrFargateError } from '../../contract/errors';
import type { Hosts } from '../../hosts/hosts';
import type { DestroyOutcome } from '../../hosts/model/types';
import { confirm } from '../confirm';
import type { CliContext } from '../context';
import { asMngrFargateError, errorDocument } from '../error-report';
import { EXIT_CODES, EXIT_DECLINED } from '../exit-codes';
import { counted } from '../render/format';
import { printable } from '../../util/printable';
import type { CommandRegistration } from '../runner';

interface DestroyOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
}

interface Failure {
  readonly name: string;
  readonly error: MngrFargateError;
}

type Outcome = DestroyOutcome | Failure;

const failed = (outcome: Outcome): outcome is Outcome & Failure => 'error' in outcome;

/** Asks when nothing was agreed to beforehand. */
async function agreed(context: CliContext, names: readonly string[], yes: boolean | undefined): Promise<boolean> {
  if (yes === true) return true;
  const them = names.length === 1 ? 'it' : 'them';
  const question = `stop ${counted(names.length, 'host')} and delete everything on ${them} (${names.join(', ')})?`;
  return confirm(context, question, '--yes');
}

async function destroyNamed(context: CliContext, hosts: Hosts, names: readonly string[]): Promise<Outcome[]> {
  return Promise.all(
    names.map(async (name): Promise<Outcome> => {
      try {
        return await hosts.destroy(name, { signal: context.signal });
      } catch (thrown) {
        return { name, error: asMngrFargateError(thrown, context.signal) };
      }
    }),
  );
}

function report(context: CliContext, outcomes: readonly Outcome[]): number {
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined && failed(only)) throw only.error;
  if (context.json) {
    context.printJson(
      outcomes.map((outcome) => (failed(outcome) ? { name: outcome.name, ...errorDocument(outcome.error) } : outcome)),
    );
  } else {
    if (outcomes.length === 0) context.print('no hosts\n');
    for (const outcome of outcomes) {
      if (failed(outcome)) context.reportText(outcome.error, outcome.name);
      else context.print(`${printable(outcome.name)}: ${outcome.wasRunning ? 'destroyed' : 'had stopped already'}\n`);
    }
  }
  const failure = outcomes.find(failed);
  return failure === undefined ? 0 : EXIT_CODES[failure.error.code];
}

async function destroy(context: CliContext, names: readonly string[], options: DestroyOptions): Promise<number> {
  const { all = false, yes } = options;
  if (all === names.length > 0) {
    throw new MngrFargateError(
      'usage',
      all ? 'give names or --all, not both' : 'name the hosts to destroy, or give --all',
    );
  }
  return context.withHosts(async (hosts) => {
    const listed = all ? await hosts.list({}, { signal: context.signal }) : [];
    const targets = all ? listed.map(({ name }) => name) : [...new Set(names)];
    if (targets.length > 0 && !(await agreed(context, targets, yes))) {
      context.note('nothing was destroyed');
      if (context.json) context.printJson([]);
      return EXIT_DECLINED;
    }
    // Those that were asked about, and none that has been created since.
    if (all) return report(context, await hosts.destroyEach(listed, { signal: context.signal }));
    return report(context, await destroyNamed(context, hosts, targets));
  });
}

/** `destroy NAME…|--all` */
export const destroyCommand: CommandRegistration = (program, runner) => {
  program
    .command('destroy')
    .alias('rm')
    .description('stop hosts for good and remove their keys from this machine; asks for confirmation')
    .argument('[host...]', 'names, host ids or task ARNs')
    .option('--all', "all hosts of the provider, other people's too")
    .option('-y, --yes', "don't ask for confirmation")
    .action(runner.action(destroy));
};
