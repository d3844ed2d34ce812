import type { CodingAgent } from './coding-agents';
import { agentOfProcess } from './coding-agents';

/** A process of the pane's terminal, as ps shows it. */
export interface PaneProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
  readonly words: readonly string[];
}

/** What setup-script noted on a pane that it made; null on panes of others and of earlier releases. */
export interface StartNote {
  /** Whether the command is a shell, so that text for it is meant to be run. */
  readonly isShell: boolean;
  /** Exit code of the command, null while it runs. */
  readonly exitCode: number | null;
}

/** Who has the keyboard of a pane. */
export type Foreground =
  | { readonly kind: 'agent'; readonly agent: CodingAgent | undefined }
  /** The command is about to be started. */
  | { readonly kind: 'starting' }
  /** A shell that would run the text: the one that is left when the agent has ended, or one that was opened above it. */
  | { readonly kind: 'shell' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'other'; readonly program: string };

const SHELLS = /^-?(ash|bash|dash|fish|ksh|mksh|sh|zsh)$/;
/** Programs that others open for a moment and that do something else with text: pagers, editors, questions for secrets. */
const INTERRUPTIONS =
  /^(less|more|most|man|vi|vim|nvim|view|nano|pico|emacs|ed|su|sudo|doas|passwd|pinentry.*|ssh|ssh-add|top|htop|whiptail|dialog)$/;

const programOf = ({ words: [first = ''] }: PaneProcess): string => first.slice(first.lastIndexOf('/') + 1);

/** Whether a process is a shell that runs what is typed, and not one that runs a script or `-c` text. */
export function isInteractiveShell(process: PaneProcess): boolean {
  if (!SHELLS.test(programOf(process))) return false;
  const options = process.words.slice(1);
  for (let index = 0; index < options.length; index++) {
    const option = options[index] ?? '';
    if (option === '--rcfile' || option === '--init-file' || option === '-o' || option === '+o') index++;
    else if (/^-[a-z]*c/i.test(option) && !option.startsWith('--')) return false;
    else if (!/^[-+]/.test(option)) return false;
  }
  return true;
}

/** Whether a command is a shell on purpose: `bash`, `env X=1 zsh -l`, but not `sh -c '…'`. */
export function isShellCommand(command: readonly string[]): boolean {
  const at = command.findIndex((word) => SHELLS.test(word.slice(word.lastIndexOf('/') + 1)));
  return at >= 0 && isInteractiveShell({ ...NOBODY, words: command.slice(at) });
}

const NOBODY = { pid: 0, parent: 0, group: 0, state: '' };

/**
 * Who would read what is typed. `processes` are all of the terminal's, `group` is its foreground process group and
 * `paneProcess` the process that tmux started.
 */
export function foregroundOf(
  processes: readonly PaneProcess[],
  group: number,
  paneProcess: number,
  note: StartNote | null,
): Foreground {
  const front = processes.filter((process) => process.group === group);
  const first = front.find(({ pid }) => pid === paneProcess);
  const leaves = front.filter(({ pid }) => !front.some(({ parent }) => parent === pid));
  if (leaves.length === 0) return { kind: 'starting' };
  if (leaves.every(({ state }) => state.startsWith('T'))) return { kind: 'stopped' };

  const agent = front.map(({ words }) => agentOfProcess(words)).find((found) => found !== undefined);
  const interruption = leaves.find(
    (process) => INTERRUPTIONS.test(programOf(process)) && (note === null || process.parent !== paneProcess),
  );
  if (interruption !== undefined) return { kind: 'other', program: programOf(interruption) };
  if (agent !== undefined) return { kind: 'agent', agent };

  const shell = leaves.find(isInteractiveShell);
  if (note !== null && note.exitCode !== null)
    return shell !== undefined ? { kind: 'shell' } : { kind: 'other', program: programOf(leaves[0] as PaneProcess) };
  if (first !== undefined && front.length === 1 && SHELLS.test(programOf(first)))
    return isInteractiveShell(first) ? { kind: 'shell' } : { kind: 'starting' };
  if (shell !== undefined && !isMeantShell(shell, processes, paneProcess, note)) return { kind: 'shell' };
  return { kind: 'agent', agent: undefined };
}

/** Sessions of earlier releases have no note: there a shell is the command when setup's own script started it. */
function isMeantShell(
  shell: PaneProcess,
  processes: readonly PaneProcess[],
  paneProcess: number,
  note: StartNote | null,
): boolean {
  if (note !== null) return note.isShell;
  const starter = processes.find(({ pid }) => pid === paneProcess);
  return shell.parent === paneProcess && starter !== undefined && !isInteractiveShell(starter);
}
