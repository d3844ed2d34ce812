import type { HostChannel } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import { run } from '../../ssh';
import { deliver } from '../agents/delivery';
import { pressKeys, typeBlindly } from '../agents/force';
import { AgentPane } from '../agents/pane';
import type { RunScript } from '../agents/pane';
import { SESSION_PREFIX } from '../../contract/agent-session';
import type { MessageOptions, PressOptions } from '../model/types';

/** How long, in milliseconds, a message waits for an agent that is starting or busy. */
export const DEFAULT_WAIT_MS = 30_000;

/** Bracketed paste ends at an escape sequence, and in line mode control characters are commands to the terminal. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** Runs scripts at the other end of a channel. */
export const scriptRunner =
  (channel: HostChannel, signal: AbortSignal | undefined): RunScript =>
  (script, input) =>
    run(channel, script, { stdin: input, signal });

/** `agent` undefined means the host's own, or the only one there is. Throws `not-found` with the sessions that exist. */
const paneOf = (
  channel: HostChannel,
  hostName: string,
  { agent, signal }: PressOptions,
): ReturnType<typeof AgentPane.find> =>
  AgentPane.find(scriptRunner(channel, signal), hostName, SESSION_PREFIX + (agent ?? hostName), agent === undefined);

/**
 * Gives the exact text to an agent, and returns when the agent has it (lib/hosts/agents/delivery.ts). With `force` the
 * text is typed no matter what has the keyboard.
 */
export async function sendMessage(
  channel: HostChannel,
  hostName: string,
  text: string,
  options: MessageOptions = {},
): Promise<void> {
  const { enter = true, force = false, waitMs = DEFAULT_WAIT_MS, signal } = options;
  const typed = text.replaceAll('\r\n', '\n');
  if (!force) refuseControlCharacters(typed);
  const { pane, observation } = await paneOf(channel, hostName, options);
  if (force) await typeBlindly(pane, typed, enter);
  else await deliver(pane, observation, typed, { enter, waitMs, signal });
}

/** Presses keys in an agent's session, for example to answer a dialog. Refused if a shell has the keyboard. */
export async function sendKeys(
  channel: HostChannel,
  hostName: string,
  keys: readonly string[],
  options: PressOptions = {},
): Promise<void> {
  const { pane, observation } = await paneOf(channel, hostName, options);
  await pressKeys(pane, observation, keys, options.force === true);
}

function refuseControlCharacters(text: string): void {
  const at = CONTROL.exec(text);
  if (at === null) return;
  const code = at[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw new MngrFargateError(
    'usage',
    `the text has the control character U+${code} at position ${at.index + 1}; only line breaks and tabs can be sent`,
    { hint: 'press keys with `--key`, or type everything as it is with `--force`' },
  );
}
