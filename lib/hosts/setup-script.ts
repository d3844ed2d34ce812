import { shellCommand, shellQuote } from '../ssh';
import type { HostSetup } from './key-store';

/** mngr's prefix of the tmux sessions that agents run in, and the name of their first window. */
export const SESSION_PREFIX = 'mngr-';
export const AGENT_WINDOW = 'agent';

/**
 * What the session runs: the login shell's and the host's environment, then the command as the user gave it. Afterwards
 * a shell stays, so that the last output can still be read.
 */
const AGENT_SHELL = `
set -a
[ ! -r "$MNGR_HOST_DIR/env" ] || . "$MNGR_HOST_DIR/env"
set +a
"$@"
printf '\\n[%s ended with %s]\\n' "$1" "$?"
exec bash -l`;

/**
 * The script that turns a booted container into the user's host, for `sh -s`: environment file, folder, and the
 * command in its tmux session. It can run again without harm.
 */
export function setupScript(hostName: string, setup: HostSetup): string {
  const lines = ['set -eu', 'umask 077', 'directory=${MNGR_HOST_DIR:-/mngr}', 'export MNGR_HOST_DIR="$directory"'];
  const variables = Object.entries(setup.env).map(([name, value]) => `${name}=${shellQuote(value)}\n`);
  if (variables.length > 0) {
    lines.push(
      'mkdir -p "$directory"',
      `printf %s ${shellQuote(variables.join(''))} > "$directory/env.new"`,
      'mv "$directory/env.new" "$directory/env"',
    );
  }
  if (setup.command !== null) {
    const session = SESSION_PREFIX + hostName;
    const tmux = [
      ...['tmux', 'new-session', '-d', '-s', session, '-n', AGENT_WINDOW, '-x', '200', '-y', '50'],
      ...['bash', '-lc', AGENT_SHELL.trim(), 'bash', ...setup.command],
    ];
    lines.push(
      `work=$directory/projects/${hostName}`,
      'mkdir -p "$work"',
      'cd "$work"',
      `tmux has-session -t ${shellQuote(`=${session}`)} 2>/dev/null || ${shellCommand(tmux)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
