import type { Command } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { SandboxClient } from '../../../sandbox/client';
import { mapBounded } from '../../../util/bounded';
import { printable } from '../../../util/printable';
import { confirm } from '../../confirm';
import type { CliContext } from '../../context';
import { asMngrFargateError, errorDocument } from '../../error-report';
import { EXIT_CODES, EXIT_DECLINED } from '../../exit-codes';
import { counted } from '../../render/format';
import type { Runner } from '../../runner';
import { withService } from './connection';
import { sandboxProblem } from './problem';

interface DestroyOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
}

interface Outcome {
  readonly id: string;
  readonly error?: MngrFargateError;
}

const AT_ONCE = 16;

async function destroy(
  context: CliContext,
  ids: readonly string[],
  { all = false, yes }: DestroyOptions,
): Promise<number> {
  if (all === ids.length > 0) {
    throw new MngrFargateError(
      'usage',
      all ? 'give ids or --all, not both' : 'name the sandboxes to destroy, or give --all',
    );
  }
  return withService(context, async (client) => {
    const targets = all ? await listed(context, client) : [...new Set(ids)];
    if (targets.length > 0 && yes !== true) {
      const them = targets.length === 1 ? 'it' : 'them';
      const count = counted(targets.length, 'sandbox').replace('sandboxs', 'sandboxes');
      const question = `destroy ${count} with all that is in ${them} (${targets.join(', ')})?`;
      if (!(await confirm(context, question, '--yes'))) {
        context.note('nothing was destroyed');
        if (context.json) context.printJson([]);
        return EXIT_DECLINED;
      }
    }
    return report(context, await mapBounded(targets, AT_ONCE, (id) => destroyed(context, client, id)));
  });
}

async function listed(context: CliContext, client: SandboxClient): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client.list({ signal: context.signal })) ids.push(id);
  return ids;
}

async function destroyed(context: CliContext, client: SandboxClient, id: string): Promise<Outcome> {
  const { signal } = context;
  try {
    await (await client.connect(id, { signal })).destroy({ signal });
    return { id };
  } catch (error) {
    return { id, error: asMngrFargateError(sandboxProblem(error, signal), signal) };
  }
}

function report(context: CliContext, outcomes: readonly Outcome[]): number {
  const failure = outcomes.find(({ error }) => error !== undefined)?.error;
  if (outcomes.length === 1 && failure !== undefined) throw failure;
  if (context.json) {
    context.printJson(outcomes.map(({ id, error }) => ({ id, ...(error !== undefined && errorDocument(error)) })));
  } else {
    if (outcomes.length === 0) context.print('no sandboxes\n');
    for (const { id, error } of outcomes) {
      if (error !== undefined) context.reportText(error, id);
      else context.print(`${printable(id)}: destroyed\n`);
    }
  }
  return failure === undefined ? 0 : EXIT_CODES[failure.code];
}

/** `sandbox destroy ID…|--all` */
export function destroyCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('destroy')
    .description('destroy sandboxes with all that is in them; asks for confirmation')
    .argument('[sandbox...]', 'ids of the sandboxes')
    .option('--all', 'all sandboxes of the key')
    .option('-y, --yes', "don't ask for confirmation")
    .action(runner.action(destroy));
}
