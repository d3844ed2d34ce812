import type { CommandNode } from './command-tree';

const namesOf = (node: CommandNode): string => node.commands.map(({ name }) => name).join(' ');

const flagsOf = (node: CommandNode): string => node.options.flatMap(({ flags }) => flags).join(' ');

const valueFlags = (node: CommandNode): string =>
  node.options
    .filter(({ takesValue }) => takesValue)
    .flatMap(({ flags }) => flags)
    .join('|');

/** A command with the words that lead to it. */
interface PlacedNode {
  readonly path: string;
  readonly node: CommandNode;
}

/** All commands below a node, at any depth: `config show`, `sandbox keys create`. */
const below = (node: CommandNode, before = ''): PlacedNode[] =>
  node.commands.flatMap((child) => {
    const path = `${before}${child.name}`;
    return [{ path, node: child }, ...below(child, `${path} `)];
  });

/** One `case` arm for each command. */
const arms = (placed: readonly PlacedNode[]): string =>
  placed
    .map(
      ({ path, node }) =>
        `    '${path}') words='${namesOf(node)}'; flags='${flagsOf(node)}'; hosts=${node.takesHosts ? 1 : ''} ;;`,
    )
    .join('\n');

/** A completion script for bash, 3.2 and later. */
export function bashCompletion(program: CommandNode): string {
  const placed = below(program);
  const all = [program, ...placed.map(({ node }) => node)];
  const flagsWithValue = [...new Set(all.flatMap((node) => valueFlags(node).split('|')))].filter((flag) => flag !== '');
  const groups = placed.filter(({ node }) => node.commands.length > 0).map(({ path }) => `'${path}'`);
  return `# bash completion of mngr-fargate; load with: source <(mngr-fargate completion bash)
_mngr_fargate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local command='' skip='' word words='' flags='' hosts='' newline=$'\\n'
  case "$previous" in
    ${flagsWithValue.join('|')}) COMPREPLY=(); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$word" in
      --) COMPREPLY=(); return ;;
      ${flagsWithValue.join('|')}) skip=1 ;;
      -*) ;;
      *)
        case "$command" in
          '') command="$word" ;;
          ${groups.join('|')}) command="$command $word" ;;
        esac ;;
    esac
  done
  case "$command" in
    '') words='${namesOf(program)}' ;;
${arms(placed)}
  esac
  case "$current" in
    -*) words="$flags ${flagsOf(program)}" ;;
    *) if [ -n "$hosts" ]; then words="$words $(mngr-fargate completion hosts 2>/dev/null)"; fi ;;
  esac
  COMPREPLY=()
  # Unlike compgen -W, this expands nothing.
  while IFS= read -r word; do
    if [[ -n "$word" && "$word" == "$current"* ]]; then COMPREPLY+=("$word"); fi
  done <<<"\${words// /$newline}"
}
complete -o default -F _mngr_fargate mngr-fargate
`;
}
