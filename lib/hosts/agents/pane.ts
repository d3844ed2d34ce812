import { randomBytes } from 'node:crypto';
import { MngrFargateError } from '../../contract/errors';
import type { Foreground, PaneProcess } from './foreground';
import { foregroundOf } from './foreground';
import type { Guard } from './pane-scripts';
import {
  COMMAND_OPTION,
  discardInput,
  EXIT_OPTION,
  GUARD_FAILED,
  NO_SESSION,
  observePane,
  observeSession,
  PANE_FIELDS,
  PART,
  pasteInto,
  pressIn,
} from './pane-scripts';
import type { Screen } from './screen';
import { parseRows } from './screen';

/** Runs a script of a POSIX shell on the host. */
export type RunScript = (
  script: string,
  input?: string,
) => Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;

/** How a terminal takes input. */
export interface TerminalMode {
  /** Whole lines, cut at 4096 bytes, in place of every key as it comes. */
  readonly lines: boolean;
  readonly echo: boolean;
  /** Enter, which sends CR, arrives as LF. */
  readonly enterIsLineFeed: boolean;
}

/** What a pane was like at one moment. */
export interface Observation {
  readonly pane: string;
  readonly session: string;
  readonly tty: string;
  readonly dead: boolean;
  readonly inputOff: boolean;
  /** A mode of tmux's own (copy mode, a menu) has the keyboard. */
  readonly inMode: boolean;
  readonly foreground: Foreground;
  readonly group: number;
  /** What the terminal's processes wait for and their processor time so far, as text to compare. */
  readonly activity: string;
  /** Every program in the foreground waits for something that is not its terminal: a timer, a child, a pipe. */
  readonly waitsElsewhere: boolean;
  readonly exitCode: number | null;
  /** Undefined where the terminal could not be asked. */
  readonly mode: TerminalMode | undefined;
  /** Bytes that the program hasn't read yet; undefined where that can't be known. */
  readonly pending: number | undefined;
  readonly screen: Screen;
}

export type Acted = { readonly kind: 'done'; readonly observation: Observation } | { readonly kind: 'guard-failed' };

/** The pane that an agent runs in. */
export class AgentPane {
  private constructor(
    private readonly run: RunScript,
    readonly session: string,
    private readonly id: string,
  ) {}

  /** Throws `not-found`, with the sessions that there are. */
  static async find(
    run: RunScript,
    hostName: string,
    session: string,
    anySession: boolean,
  ): Promise<{ readonly pane: AgentPane; readonly observation: Observation }> {
    const result = await run(observeSession(session, anySession));
    if (result.exitCode === NO_SESSION) throw noSession(hostName, session, result.stdout);
    const observation = parseObservation(checked(session, result));
    return { pane: new AgentPane(run, observation.session, observation.pane), observation };
  }

  async look(): Promise<Observation> {
    return this.parse(await this.run(observePane(this.id)));
  }

  async paste(text: string, guard: Guard | null): Promise<Acted> {
    const buffer = `mngr-${randomBytes(6).toString('hex')}`;
    return this.acted(await this.run(pasteInto(this.id, buffer, guard), text));
  }

  async press(keys: readonly string[], guard: Guard | null): Promise<Acted> {
    return this.acted(await this.run(pressIn(this.id, keys, guard)));
  }

  /** Takes back what was typed and not read; false where that is impossible. */
  async discard(tty: string): Promise<boolean> {
    return (await this.run(discardInput(tty))).exitCode === 0;
  }

  private acted(result: Awaited<ReturnType<RunScript>>): Acted {
    if (result.exitCode === GUARD_FAILED) return { kind: 'guard-failed' };
    return { kind: 'done', observation: this.parse(result) };
  }

  private parse(result: Awaited<ReturnType<RunScript>>): Observation {
    if (result.exitCode === NO_SESSION)
      throw new MngrFargateError('not-found', `session ${this.session} has ended`, { details: { sessions: [] } });
    return parseObservation(checked(this.session, result));
  }
}

function noSession(hostName: string, session: string, output: string): MngrFargateError {
  const sessions = output.split('\n').filter((line) => line !== '');
  return new MngrFargateError('not-found', `host ${hostName} has no tmux session ${session}`, {
    hint:
      sessions.length > 0
        ? `sessions there: ${sessions.join(', ')}`
        : 'no session is running there: create hosts with a command, or start one',
    details: { sessions },
  });
}

function checked(session: string, result: Awaited<ReturnType<RunScript>>): string {
  if (result.exitCode === 0) return result.stdout;
  const reason = result.stderr.trim() || `tmux ended with ${result.exitCode}`;
  throw new MngrFargateError('failed', `cannot type into session ${session}: ${reason}`);
}

export function parseObservation(output: string): Observation {
  const [facts = '', processes = '', activities = '', modes = '', pending = '', ...capture] = output.split(`${PART}\n`);
  const values = facts.trimEnd().split('|');
  const value = (field: (typeof PANE_FIELDS)[number]): string => values[PANE_FIELDS.indexOf(field)] ?? '';
  const { group, all } = onTerminal(processes.split('\n').flatMap(parseProcess), Number(value('pane_pid')));
  const seen = new Set(all.map(({ pid }) => String(pid)));
  const activity = activities
    .split('\n')
    .filter((line) => seen.has(line.split(' ', 1)[0] ?? ''))
    .join('\n');
  const command = value(COMMAND_OPTION);
  const exitCode = value(EXIT_OPTION) === '' ? null : Number(value(EXIT_OPTION));
  const note = command === '' ? null : { isShell: command === 'shell', exitCode };
  return {
    pane: value('pane_id'),
    session: value('session_name'),
    tty: value('pane_tty'),
    dead: value('pane_dead') === '1',
    inputOff: value('pane_input_off') === '1',
    inMode: !['', '0'].includes(value('pane_in_mode')),
    foreground: foregroundOf(all, group, Number(value('pane_pid')), note),
    group,
    activity,
    waitsElsewhere: waitElsewhere(
      all.filter((process) => process.group === group),
      activity,
    ),
    exitCode,
    mode: parseMode(modes),
    pending: /^\d+$/.test(pending.trim()) ? Number(pending.trim()) : undefined,
    screen: {
      rows: parseRows(capture.join(`${PART}\n`).replace(/\n$/, '')),
      cursor: {
        x: Number(value('cursor_x')),
        y: Number(value('cursor_y')),
        visible: value('cursor_flag') === '1',
      },
    },
  };
}

/** Functions of Linux in which a process waits, and not for its terminal. Threads of their own may read it meanwhile. */
const ELSEWHERE = /^(do_wait|\w*nanosleep|\w*pipe_read|pipe_wait|\w*sigsuspend|\w*sigtimedwait|sk_wait_data)$/;

function waitElsewhere(front: readonly PaneProcess[], activity: string): boolean {
  const waits = new Map(activity.split('\n').map((line) => line.split(' ', 2) as [string, string]));
  return front.length > 0 && front.every(({ pid }) => ELSEWHERE.test(waits.get(String(pid)) ?? ''));
}

type TerminalProcess = PaneProcess & { readonly foreground: number };

/**
 * The foreground process group of the pane's terminal, and the processes that have this terminal. ps tells terminals apart
 * by their number alone, and a container on the same machine may have one of the same number: its processes have another
 * foreground group.
 */
function onTerminal(listed: readonly TerminalProcess[], panePid: number): { group: number; all: TerminalProcess[] } {
  const group = (listed.find(({ pid }) => pid === panePid) ?? listed[0])?.foreground ?? 0;
  return { group, all: listed.filter(({ foreground }) => foreground === group) };
}

function parseProcess(line: string): TerminalProcess[] {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\S+)\s+(.*)$/.exec(line);
  if (match === null) return [];
  const [pid = 0, parent = 0, group = 0, foreground = 0] = match.slice(1, 5).map(Number);
  return [{ pid, parent, group, foreground, state: match[5] ?? '', words: (match[6] ?? '').trim().split(/\s+/) }];
}

function parseMode(settings: string): TerminalMode | undefined {
  const words = new Set(settings.split(/[\s;]+/));
  if (!words.has('icanon') && !words.has('-icanon')) return undefined;
  return { lines: words.has('icanon'), echo: words.has('echo'), enterIsLineFeed: words.has('icrnl') };
}
