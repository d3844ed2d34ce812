import { AGENT_TITLES, inputBox } from './coding-agents';
import { dialogOn } from './dialogs';
import type { Observation } from './pane';

/** Why nothing should be typed into a pane now. */
export interface Obstacle {
  readonly reason:
    | 'dialog'
    | 'ended'
    | 'input-off'
    | 'no-input-line'
    | 'no-reader'
    | 'not-empty'
    | 'other-program'
    | 'secret'
    | 'shell'
    | 'starting'
    | 'stopped';
  /** Completes "nothing was typed: …". */
  readonly text: string;
  /** Waiting doesn't help: a person must do something. */
  readonly isFinal: boolean;
  readonly hint: string;
  readonly dialog?: string;
}

const LOOK = 'look at it with `mngr-fargate connect`';
const FORCE = '`--force` types anyway';

/** What stands between a text and the agent; undefined where the agent takes text. */
export function obstacleOf(observation: Observation): Obstacle | undefined {
  const { foreground, screen, mode } = observation;
  if (observation.dead) return { reason: 'ended', text: 'its program has ended', isFinal: true, hint: LOOK };
  if (observation.inputOff)
    return { reason: 'input-off', text: 'tmux takes no input for it (select-pane -d)', isFinal: true, hint: LOOK };
  switch (foreground.kind) {
    case 'shell':
      return {
        reason: 'shell',
        text: `${ended(observation)}a shell is in the foreground, which would run the text as a command`,
        isFinal: true,
        hint: `start the agent again with \`mngr-fargate connect\`; ${FORCE}`,
      };
    case 'other':
      return {
        reason: 'other-program',
        text: `${ended(observation)}the program ${foreground.program} has the keyboard`,
        isFinal: true,
        hint: `${LOOK}; ${FORCE}`,
      };
    case 'stopped':
      return { reason: 'stopped', text: 'its program is suspended', isFinal: true, hint: LOOK };
    case 'starting':
      return { reason: 'starting', text: 'its program has not started yet', isFinal: false, hint: LOOK };
    case 'agent':
  }
  const box = foreground.agent === undefined ? undefined : inputBox(foreground.agent, screen);
  const dialog = box === undefined ? dialogOn(screen) : undefined;
  if (dialog !== undefined)
    return {
      reason: 'dialog',
      text: `the agent asks ${dialog.name}`,
      isFinal: true,
      hint: 'answer with `mngr-fargate connect`, or press a key with `mngr-fargate message HOST --key Enter`',
      dialog: dialog.name,
    };
  if (foreground.agent !== undefined) {
    const title = AGENT_TITLES[foreground.agent];
    if (box === undefined || mode?.lines === true)
      return {
        reason: 'no-input-line',
        text: `${title} shows no input line`,
        isFinal: false,
        hint: `${LOOK}; ${FORCE}`,
      };
    if (box.mode === 'shell-command')
      return {
        reason: 'shell',
        text: `${title} would run the text as a shell command, since its shell mode is on`,
        isFinal: true,
        hint: 'leave that mode with `--key Escape`',
      };
    if (box.text !== '')
      return {
        reason: 'not-empty',
        text: `the input line of ${title} already holds text`,
        isFinal: false,
        hint: `send that with \`--key Enter\`, or clear it with \`--key C-c\`; ${FORCE}`,
      };
    return undefined;
  }
  if (mode?.lines === true && observation.waitsElsewhere)
    return {
      reason: 'no-reader',
      text: 'its program does not read its terminal',
      isFinal: false,
      hint: `${LOOK}; ${FORCE}`,
    };
  if (mode !== undefined && mode.lines && !mode.echo)
    return {
      reason: 'secret',
      text: 'its program reads a line without showing it, as for a password',
      isFinal: false,
      hint: `${LOOK}; ${FORCE}`,
    };
  return undefined;
}

const ended = ({ exitCode }: Observation): string =>
  exitCode === null ? '' : `the agent has ended with exit code ${exitCode}; `;
