import type { CommandNode, OptionNode } from './command-tree';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function optionLine({ flags, takesValue, description }: OptionNode, condition: string): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  return `complete -c mngr-fargate ${condition}${names}${takesValue ? ' -x' : ''} -d ${quoted(description)}`;
}

/** True where the words of a path have been typed; without `below`, none of the words that could follow either. */
function typed(path: readonly string[], below: readonly string[] = []): string {
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const unseen = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
  return `-n '${[...seen, ...unseen].join('; and ')}' `;
}

function commandLines(node: CommandNode, before: readonly string[] = [], siblings: readonly string[] = []): string[] {
  const path = [...before, node.name];
  const condition = typed(path);
  const children = node.commands.map(({ name }) => name);
  const offered = before.length === 0 ? '-n __fish_use_subcommand ' : typed(before, siblings);
  return [
    `complete -c mngr-fargate ${offered}-x -a ${node.name} -d ${quoted(node.description)}`,
    ...node.options.map((option) => optionLine(option, condition)),
    ...(node.takesHosts
      ? [`complete -c mngr-fargate ${condition}-f -a '(mngr-fargate completion hosts 2>/dev/null)'`]
      : []),
    ...node.commands.flatMap((child) => commandLines(child, path, children)),
  ];
}

/** A completion script for fish. */
export function fishCompletion(program: CommandNode): string {
  const lines = [
    '# fish completion of mngr-fargate; load with: mngr-fargate completion fish | source',
    ...program.options.map((option) => optionLine(option, '')),
    ...program.commands.flatMap((node) => commandLines(node)),
  ];
  return `${lines.join('\n')}\n`;
}
