import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { MngrFargateError } from '../../contract/errors';
import type { UserTerminal } from '../../contract/user-terminal';
import { abortedError } from '../../util/abort';
import { shellCommand } from '../../util/shell-quote';
import { giveTerminal } from '../../util/user-terminal';
import type { RemoteTerminal } from '../../util/user-terminal';
import type { Readable } from 'node:stream';
import { checkCommand, timedOutError, unfitError } from './command-rules';
import { SCRIPT_NAME } from './script-name';
import { variableLines } from './input-lines';
import { TerminalOutput } from './terminal-output';
import type { TerminalEvent } from './terminal-output';
import { TERMINAL_SCRIPT } from './terminal-script';

export interface TerminalCommandOptions extends UserTerminal {
  readonly command: readonly string[];
  /** Default: the container's own. */
  readonly workingDirectory?: string;
  /** Sent through the terminal, so that no record of the call has them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds that the command may run before it and all that it started on the terminal are ended. Default: no limit. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The terminal of an ECS Exec session. */
export interface CommandTerminal extends RemoteTerminal {
  readonly output: Readable;
}

/** Milliseconds in which the container ends the command by itself: SIGTERM, five seconds, SIGKILL. */
const OWN_END_MS = 15_000;

/** A command on the terminal of an ECS Exec session: the command line that starts it, and its way to the user's terminal. */
export class TerminalCommand {
  private readonly marker = randomBytes(8).toString('hex');
  private restore: (() => void) | undefined;

  /** Throws `usage` for a command or variables that can't be passed on. */
  constructor(private readonly options: TerminalCommandOptions) {
    checkCommand(options);
  }

  /** What `ecs:ExecuteCommand` is given. The user's own command is at its end, for whoever reads the audit log. */
  commandLine(): string {
    const { command, timeout, env = {}, workingDirectory = '' } = this.options;
    const limit = timeout === undefined ? '' : String(Math.ceil(timeout / 1000));
    const variables = Object.keys(env).length > 0 ? 'v' : '';
    const settings = [this.marker, limit, variables, workingDirectory];
    return shellCommand(['sh', '-c', TERMINAL_SCRIPT, SCRIPT_NAME, ...settings, ...command]);
  }

  /**
   * Gives the user's terminal to the command until it ends, and answers with its exit code as a shell has it. The terminal is
   * as it was on every way out. Throws `timed-out`, `aborted`, `failed` where the container can't take variables, and
   * `unreachable` when the session ends first.
   */
  async run(terminal: CommandTerminal): Promise<number> {
    const { timeout, signal } = this.options;
    // The output ends with it, and says why it broke.
    terminal.input.on('error', () => undefined);
    const started = Date.now();
    const lost = timeout === undefined ? undefined : setTimeout(() => terminal.output.destroy(), timeout + OWN_END_MS);
    const isLate = (): boolean => timeout !== undefined && Date.now() - started >= timeout;
    try {
      const status = await this.talk(terminal);
      if (isLate()) throw timedOutError(timeout ?? 0);
      if (status === undefined) throw new MngrFargateError('unreachable', 'the session ended before the command did');
      return status;
    } catch (error) {
      if (signal?.aborted) throw abortedError('the command', signal);
      // Destroyed here, after the container had its time.
      throw isLate() ? timedOutError(timeout ?? 0) : error;
    } finally {
      clearTimeout(lost);
      this.restore?.();
    }
  }

  private async talk(terminal: CommandTerminal): Promise<number | undefined> {
    const output = new TerminalOutput(this.marker);
    for await (const piece of terminal.output as AsyncIterable<Buffer>) {
      for (const event of output.push(piece)) {
        if (event.kind === 'exit') return event.status;
        await this.handle(event, terminal);
      }
    }
    return undefined;
  }

  private async handle(
    event: Exclude<TerminalEvent, { readonly kind: 'exit' }>,
    terminal: CommandTerminal,
  ): Promise<void> {
    const { env = {}, stdout, signal } = this.options;
    switch (event.kind) {
      case 'unfit':
        throw unfitError('stty, which --env needs on a terminal');
      case 'variables-wanted':
        terminal.input.write(variableLines(env));
        return;
      case 'begun':
        // Until then the terminal is the user's, and Ctrl-C ends this program.
        this.restore = giveTerminal(this.options, terminal);
        return;
      case 'shown':
        if (!stdout.write(event.bytes)) await once(stdout, 'drain', { signal });
    }
  }
}
