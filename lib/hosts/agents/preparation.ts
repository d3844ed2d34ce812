import type { CodingAgent } from './coding-agents';

/**
 * Lines of bash that make a coding agent ready for its first start, since nobody is there to answer what it would ask.
 * Only what is absent is set: settings, refusals and sign-ins that the host has already stay as they are. `work`, the
 * folder that the host was made for, is trusted, and the key that the user gave with `--env` is accepted.
 *
 * - Claude Code: `hasCompletedOnboarding`, `theme`, `customApiKeyResponses` (the last 20 characters of a key name it) and
 *   `projects.….hasTrustDialogAccepted` in `.claude.json`; `skipDangerousModePermissionPrompt` in `settings.json` where the
 *   command asks for that mode. As root it starts in that mode only where `IS_SANDBOX` is 1, which is true of a host in a
 *   container and said there alone.
 * - Codex: `projects."…".trust_level` in `config.toml`, and `codex login --with-api-key`, since it doesn't read
 *   `OPENAI_API_KEY` by itself.
 * - OpenCode asks nothing at its first start.
 */
export function preparation(agent: CodingAgent | undefined, command: readonly string[]): string {
  if (agent === 'claude') return CLAUDE + (skipsPermissions(command) ? CLAUDE_SKIPS : '');
  return agent === 'codex' ? CODEX : '';
}

const skipsPermissions = (command: readonly string[]): boolean =>
  command.some((word) => /--dangerously-skip-permissions|bypassPermissions/.test(word));

/** Writes through a link, keeps the file's mode, and leaves a file that isn't JSON alone. */
const CLAUDE = `
merge() {
  file=$1; shift
  mkdir -p "\${file%/*}"
  [ -s "$file" ] || (umask 077; echo '{}' > "$file")
  new=$(jq "$@" "$file") && printf '%s\\n' "$new" > "$file"
}
[ -n "\${MNGR_ROOT-}" ] || export IS_SANDBOX="\${IS_SANDBOX-1}"
merge "\${CLAUDE_CONFIG_DIR:-$HOME}/.claude.json" --arg work "$PWD" --arg key "$(printf %s "\${ANTHROPIC_API_KEY-}" | tail -c 20)" '
  def default(p; v): if getpath(p) == null then setpath(p; v) else . end;
  default(["hasCompletedOnboarding"]; true) | default(["theme"]; "dark")
  | default(["projects", $work, "hasTrustDialogAccepted"]; true)
  | if $key == "" or ([.customApiKeyResponses | (.approved, .rejected) // [] | .[]] | index([$key])) then .
    else .customApiKeyResponses.approved += [$key] end'
`.trimStart();

const CLAUDE_SKIPS = `
merge "\${CLAUDE_CONFIG_DIR:-$HOME/.claude}/settings.json" 'if has("skipDangerousModePermissionPrompt") then . else .skipDangerousModePermissionPrompt = true end'
`.trimStart();

const CODEX = `
folder=\${CODEX_HOME:-$HOME/.codex}
mkdir -p "$folder"
grep -qsF "[projects.\\"$PWD\\"]" "$folder/config.toml" ||
  printf '\\n[projects."%s"]\\ntrust_level = "trusted"\\n' "$PWD" >> "$folder/config.toml"
if [ -n "\${OPENAI_API_KEY-}" ] && [ ! -e "$folder/auth.json" ]; then
  printenv OPENAI_API_KEY | codex login --with-api-key
fi
`.trimStart();
