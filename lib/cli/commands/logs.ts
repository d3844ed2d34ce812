import type { CliContext } from '../context';
import { EXIT_CODES } from '../exit-codes';
import { parseSince } from '../parse/duration';
import { parseCount } from '../parse/size';
import { printableLines } from '../../util/printable';
import type { CommandRegistration } from '../runner';

interface LogsOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: string;
  readonly timestamps?: boolean;
}

async function logs(context: CliContext, reference: string, options: LogsOptions): Promise<number> {
  const since = options.since === undefined ? undefined : parseSince(options.since, new Date());
  const tail =
    options.tail === undefined ? undefined : parseCount(options.tail, '--tail', { least: 0, most: 1_000_000 });
  return context.withHosts(async (hosts) => {
    try {
      for await (const line of hosts.logs(reference, { follow: options.follow, since, tail, signal: context.signal })) {
        context.result(
          line,
          () => `${options.timestamps === true ? `${line.timestamp} ` : ''}${printableLines(line.message)}\n`,
        );
      }
      return 0;
    } catch (error) {
      // Ctrl-C is the normal end of following, not an error.
      if (options.follow === true && context.signal.aborted) return EXIT_CODES.aborted;
      throw error;
    }
  });
}

/** `logs NAME` */
export const logsCommand: CommandRegistration = (program, runner) => {
  program
    .command('logs')
    .description("print what the host's container wrote (CloudWatch Logs)")
    .argument('<host>', 'name, host id or task ARN')
    .option('-f, --follow', 'print new lines until Ctrl-C or until the host stops')
    .option('--since <time>', 'only lines after this time (2026-11-20T10:00:00Z) or from the last 10m')
    .option('--tail <lines>', 'only this many of the last lines')
    .option('-t, --timestamps', 'print the time of each line')
    .action(runner.action(logs));
};
