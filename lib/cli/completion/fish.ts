import type { CommandNode, OptionNode } from './command-tree';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function optionLine({ flags, takesValue, description }: OptionNode, condition: string): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  return `complete -c mngr-fargate ${condition}${names}${takesValue ? ' -x' : ''} -d ${quoted(description)}`;
}

const seen = (names: readonly string[]): string => `-n '__fish_seen_subcommand_from ${names.join(' ')}' `;

function commandLines(node: CommandNode): string[] {
  const condition = seen([node.name]);
  const children = node.commands.map(({ name }) => name);
  return [
    `complete -c mngr-fargate -n __fish_use_subcommand -x -a ${node.name} -d ${quoted(node.description)}`,
    ...node.options.map((option) => optionLine(option, condition)),
    ...(node.takesHosts
      ? [`complete -c mngr-fargate ${condition}-f -a '(mngr-fargate completion hosts 2>/dev/null)'`]
      : []),
    ...node.commands.flatMap((child) => [
      `complete -c mngr-fargate -n '__fish_seen_subcommand_from ${node.name}; and not __fish_seen_subcommand_from ${children.join(' ')}' -x -a ${child.name} -d ${quoted(child.description)}`,
      ...child.options.map((option) =>
        optionLine(
          option,
          `-n '__fish_seen_subcommand_from ${node.name}; and __fish_seen_subcommand_from ${child.name}' `,
        ),
      ),
    ]),
  ];
}

/** A completion script for fish. */
export function fishCompletion(program: CommandNode): string {
  const lines = [
    '# fish completion of mngr-fargate; load with: mngr-fargate completion fish | source',
    ...program.options.map((option) => optionLine(option, '')),
    ...program.commands.flatMap(commandLines),
  ];
  return `${lines.join('\n')}\n`;
}
