import type { Command, Option } from 'commander';

/** A command as completion sees it. */
export interface CommandNode {
  readonly name: string;
  readonly description: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  /** True where an argument names a host. */
  readonly takesHosts: boolean;
}

export interface OptionNode {
  readonly flags: readonly string[];
  readonly takesValue: boolean;
  readonly description: string;
}

const optionNode = ({ short, long, required, optional, description }: Option): OptionNode => ({
  flags: [short, long].filter((flag) => flag != null),
  takesValue: required || optional,
  description,
});

/** The commands and options that a person may type, hidden ones left out. */
export function commandTree(command: Command): CommandNode {
  return {
    name: command.name(),
    description: command.description(),
    commands: command
      .createHelp()
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map(commandTree),
    options: command.createHelp().visibleOptions(command).map(optionNode),
    takesHosts: command.registeredArguments.some((argument) => ['host', 'target'].includes(argument.name())),
  };
}
