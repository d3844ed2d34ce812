import { SESSION_PREFIX } from '../contract/agent-session';

/**
 * Attaches to a named agent's session and ends with 3 where there is none.
 * `=` makes tmux take the name exactly; without it a name also matches longer ones.
 */
const ATTACH_NAMED = `
tmux has-session -t "=$1" 2>/dev/null || { echo "no agent session $1 on this host" >&2; exit 3; }
exec tmux attach-session -t "=$1"`;

/**
 * Attaches to the session of the host's name. A renamed host's session has its first name, so any agent's session will do;
 * where there is none, a login shell.
 */
const ATTACH_OR_SHELL = `
session=$1
tmux has-session -t "=$session" 2>/dev/null ||
  session=$(tmux list-sessions -F '#{session_created} #{session_name}' 2>/dev/null | sort -n | sed -n 's/^[0-9]* \\(${SESSION_PREFIX}.*\\)/\\1/p' | head -n 1)
[ -n "$session" ] && exec tmux attach-session -t "=$session"
exec "\${SHELL:-/bin/sh}" -l`;

/** The remote command that puts a terminal into an agent's tmux session. */
export function agentSession(hostName: string, agent: string | undefined): readonly string[] {
  const [script, session] = agent === undefined ? [ATTACH_OR_SHELL, hostName] : [ATTACH_NAMED, agent];
  return ['sh', '-c', script.trim(), 'sh', SESSION_PREFIX + session];
}
