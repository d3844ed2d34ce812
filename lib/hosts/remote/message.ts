import { randomBytes } from 'node:crypto';
import type { HostChannel } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import { run, shellQuote } from '../../ssh';
import { SESSION_PREFIX } from './setup-script';

/** Exit code of the script below where there is no session. */
const NO_SESSION = 3;
/** Seconds between text and Enter: programs that watch for pastes take an Enter that comes at once for a part of the text. */
const ENTER_AFTER = 0.15;

/**
 * Types text into an agent's tmux session, exactly: it travels on standard input into a tmux buffer and is pasted
 * from there, as a bracketed paste where the program has asked for those, so that line breaks in the text don't submit
 * it half-way. `agent` undefined means the host's own, or the only one there is.
 * Throws `not-found` with the sessions that exist.
 */
export async function sendMessage(
  channel: HostChannel,
  hostName: string,
  text: string,
  options: { readonly agent?: string; readonly enter?: boolean; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { agent, enter = true, signal } = options;
  const session = SESSION_PREFIX + (agent ?? hostName);
  const buffer = `mngr-${randomBytes(6).toString('hex')}`;
  // A renamed host's session has the host's first name: without an agent's name any only session will do.
  const fallback =
    agent === undefined
      ? `only=$(tmux list-sessions -F '#{session_name}' 2>/dev/null | grep '^${SESSION_PREFIX}'); [ "$(printf '%s\\n' "$only" | grep -c .)" = 1 ] && session=$only`
      : ':';
  const script = [
    `session=${shellQuote(session)}`,
    `tmux has-session -t "=$session" 2>/dev/null || { ${fallback}; }`,
    `tmux has-session -t "=$session" 2>/dev/null || { cat >/dev/null; tmux list-sessions -F '#{session_name}' 2>/dev/null; exit ${NO_SESSION}; }`,
    ...(text === ''
      ? ['cat >/dev/null']
      : [`tmux load-buffer -b ${buffer} - && tmux paste-buffer -d -p -r -b ${buffer} -t "=$session:" || exit 1`]),
    ...(enter ? [`sleep ${ENTER_AFTER}`, 'tmux send-keys -t "=$session:" Enter'] : []),
  ].join('\n');
  const result = await run(channel, script, { stdin: text, signal });
  if (result.exitCode === 0) return;
  if (result.exitCode === NO_SESSION) {
    const sessions = result.stdout.split('\n').filter((line) => line !== '');
    throw new MngrFargateError('not-found', `host ${hostName} has no tmux session ${session}`, {
      hint:
        sessions.length > 0
          ? `sessions there: ${sessions.join(', ')}`
          : 'no session runs there: create hosts with a command, or start one',
      details: { sessions },
    });
  }
  throw new MngrFargateError(
    'failed',
    `cannot type into session ${session}: ${result.stderr.trim() || `tmux ended with ${result.exitCode}`}`,
  );
}
