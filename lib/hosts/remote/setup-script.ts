import { shellCommand, shellQuote } from '../../ssh';
import { agentOfCommand } from '../agents/coding-agents';
import { isShellCommand } from '../agents/foreground';
import { SESSION_PREFIX } from '../../contract/agent-session';
import { AGENT_WINDOW, COMMAND_OPTION, EXIT_OPTION } from '../agents/pane-scripts';
import { preparation } from '../agents/preparation';
import type { HostSetup } from './key-store';

/**
 * What the session runs: the user's command, in the environment of the login shell and the host. A shell follows it, so
 * that the last output can still be read. For `message`, the pane's options record what runs in it. Input that the
 * command did not read is discarded, so that the shell does not run it.
 */
const agentShell = (command: readonly string[]): string =>
  `
set -a
[ ! -r "$MNGR_HOST_DIR/env" ] || . "$MNGR_HOST_DIR/env"
set +a
${preparation(agentOfCommand(command), command)}"$@"
code=$?
tmux set-option -p -t "$TMUX_PANE" ${EXIT_OPTION} "$code"
stty sane
IFS= read -rs -t 0.05 -N 65536 _
printf '\\n[%s ended with %s]\\n' "$1" "$code"
exec bash -l`.trim();

/**
 * The script that turns a booted container into the user's host, for `sh -s`: environment file, folder, and the
 * command in its tmux session. Running it again does no harm. Null if there is nothing to do.
 */
export function setupScript(hostName: string, setup: HostSetup): string | null {
  const steps = [...environmentSteps(setup.env), ...commandSteps(hostName, setup.command)];
  return steps.length === 0 ? null : `${[...PREAMBLE, ...steps].join('\n')}\n`;
}

const PREAMBLE = ['set -eu', 'umask 077', 'export MNGR_HOST_DIR="${MNGR_HOST_DIR:-/mngr}"'];

function environmentSteps(env: HostSetup['env']): string[] {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${shellQuote(value)}\n`);
  if (variables.length === 0) return [];
  return [
    `printf %s ${shellQuote(variables.join(''))} > "$MNGR_HOST_DIR/env.new"`,
    'mv "$MNGR_HOST_DIR/env.new" "$MNGR_HOST_DIR/env"',
  ];
}

function commandSteps(hostName: string, command: HostSetup['command']): string[] {
  if (command === null) return [];
  const session = SESSION_PREFIX + hostName;
  const tmux = [
    ...['tmux', 'new-session', '-d', '-s', session, '-n', AGENT_WINDOW, '-x', '200', '-y', '50'],
    ...['bash', '-lc', agentShell(command), 'bash', ...command],
  ];
  const kind = isShellCommand(command) ? 'shell' : 'program';
  // In one call, so that nobody sees the pane without its option.
  const note = ['set-option', '-p', '-t', `=${session}:`, COMMAND_OPTION, kind];
  return [
    `work=$MNGR_HOST_DIR/projects/${hostName}`,
    'mkdir -p "$work"',
    'cd "$work"',
    // In the reverse order, a first run would start a program only to find that there is no session yet.
    `${shellCommand(tmux)} ';' ${shellCommand(note)} || tmux has-session -t ${shellQuote(`=${session}`)}`,
  ];
}
