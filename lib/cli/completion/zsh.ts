import type { CommandNode, OptionNode } from './command-tree';

/** Text inside a specification of _arguments: brackets and colons are its syntax. */
const escaped = (text: string): string => text.replaceAll("'", "'\\''").replace(/[[\]:\\]/g, '\\$&');

const optionSpecs = ({ flags, takesValue, description }: OptionNode): string[] =>
  flags.map((flag) => `'*${flag}[${escaped(description)}]${takesValue ? ':value:' : ''}'`);

const functionName = (path: readonly string[]): string => ['_mngr-fargate', ...path].join('_').replaceAll('-', '_');

function commandFunction(node: CommandNode, path: readonly string[]): string {
  const specs = node.options.flatMap(optionSpecs);
  if (node.commands.length === 0) {
    const rest = node.takesHosts ? `'*:host:_mngr_fargate_hosts'` : `'*:file:_files'`;
    return `${functionName(path)}() {\n  _arguments ${[...specs, rest].join(' \\\n    ')}\n}`;
  }
  const descriptions = node.commands.map((child) => `'${child.name}:${escaped(child.description)}'`);
  const arms = node.commands.map((child) => `        ${child.name}) ${functionName([...path, child.name])} ;;`);
  const own = `${functionName(path)}() {
  local context state state_descr line
  local -a commands=(
    ${descriptions.join('\n    ')}
  )
  _arguments -C ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(' \\\n    ')}
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${arms.join('\n')}
      esac ;;
  esac
}`;
  return [...node.commands.map((child) => commandFunction(child, [...path, child.name])), own].join('\n\n');
}

/** A completion script for zsh. */
export function zshCompletion(program: CommandNode): string {
  return `#compdef mngr-fargate
# zsh completion of mngr-fargate; load with: source <(mngr-fargate completion zsh)
_mngr_fargate_hosts() {
  local -a hosts=(\${(f)"$(mngr-fargate completion hosts 2>/dev/null)"})
  (( $#hosts )) && _describe host hosts
}

${commandFunction(program, [])}

compdef ${functionName([])} mngr-fargate
`;
}
