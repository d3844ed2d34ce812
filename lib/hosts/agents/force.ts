import { MngrFargateError } from '../../contract/errors';
import { notReady } from './not-ready';
import type { AgentPane, Observation } from './pane';
import { obstacleOf } from './readiness';

/** tmux's names of keys: a character or a named key, with `C-`, `M-` and `S-` before it. */
const KEY =
  /^(?:[CMS]-)*(?:[!-~]|Enter|Escape|Tab|BTab|Space|BSpace|Up|Down|Left|Right|Home|End|PageUp|PageDown|PPage|NPage|Insert|Delete|IC|DC|F(?:[1-9]|1[0-2]))$/;

/** Types a text whatever has the keyboard. */
export async function typeBlindly(pane: AgentPane, text: string, enter: boolean): Promise<void> {
  await pane.paste(text, null);
  if (!enter) return;
  // Programs that watch for pastes take an Enter that comes at once for a part of the text.
  await new Promise((resolve) => setTimeout(resolve, 150));
  await pane.press(['Enter'], null);
}

/** Throws `usage` for a name that tmux would type as text. */
export function checkKeys(keys: readonly string[]): void {
  const wrong = keys.find((key) => !KEY.test(key));
  if (wrong === undefined) return;
  throw new MngrFargateError('usage', `${JSON.stringify(wrong)} is not the name of a key`, {
    hint: 'key names are, for example, Enter, Escape, Up, Tab, Space, y, 1, C-c or M-Enter',
  });
}

/** Presses keys. A dialog doesn't stop it, since keys are there to answer dialogs; a shell that would run something does. */
export async function pressKeys(
  pane: AgentPane,
  observation: Observation,
  keys: readonly string[],
  force: boolean,
): Promise<void> {
  checkKeys(keys);
  const obstacle = force ? undefined : obstacleOf(observation);
  if (obstacle !== undefined && ['ended', 'shell', 'input-off'].includes(obstacle.reason) && !isInterrupt(keys))
    throw notReady(pane, observation, obstacle);
  await pane.press(keys, null);
}

/** Keys that only end something. */
const isInterrupt = (keys: readonly string[]): boolean => keys.every((key) => key === 'C-c' || key === 'Escape');
