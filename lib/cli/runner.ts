import type { Command } from 'commander';
import { MngrFargateError } from '../contract/errors';
import { CliContext } from './context';
import { requireContract } from './json-contract';
import type { GlobalOptions } from './global-options';
import type { Interrupts } from './interrupts';
import type { Io } from './io';

/** What a command does: arguments and options as commander gives them; the exit code, or nothing for 0. */
export type Handler<Parameters extends unknown[]> = (
  context: CliContext,
  ...parameters: Parameters
) => Promise<number | void>;

/** Ties commander's actions to a run of the program. */
export class Runner {
  exitCode = 0;
  /** The context of the command that ran; undefined when parsing failed before one was chosen. */
  context: CliContext | undefined;

  constructor(
    private readonly io: Io,
    private readonly passthrough: readonly string[] | undefined,
    private readonly interrupts: Interrupts,
  ) {}

  /** An action for commander. `takesPassthrough` commands get the words after `--`; the others refuse them. */
  action<Parameters extends unknown[]>(
    handler: Handler<Parameters>,
    { takesPassthrough = false }: { takesPassthrough?: boolean } = {},
  ): (...parameters: [...Parameters, Command]) => Promise<void> {
    return async (...parameters) => {
      const command = parameters[parameters.length - 1] as Command;
      const options = command.optsWithGlobals<GlobalOptions>();
      this.context = new CliContext(this.io, options, this.passthrough, this.interrupts);
      if (this.passthrough !== undefined && !takesPassthrough) {
        throw new MngrFargateError('usage', `${command.name()} takes no arguments after "--"`);
      }
      requireContract(options.contract);
      const own = parameters.slice(0, -1) as unknown as Parameters;
      this.exitCode = (await handler(this.context, ...own)) ?? 0;
    };
  }
}

/** Adds one command to the program. */
export type CommandRegistration = (program: Command, runner: Runner) => void;
