import { MngrFargateError } from '../../contract/errors';
import { pause } from '../../util/abort';
import { inputBox } from './coding-agents';
import type { InputBox } from './coding-agents';
import type { AgentPane, Observation } from './pane';
import type { Guard } from './pane-scripts';
import { notReady } from './not-ready';
import { obstacleOf } from './readiness';
import type { Obstacle } from './readiness';
import { shownRows } from './screen';

/** Between two looks at a pane. Milliseconds. */
const LOOK_INTERVAL_MS = 100;
/** Programs that watch for pastes take an Enter that comes at once for a part of the text. Milliseconds. */
const ENTER_AFTER_MS = 150;
/** A program that took no text a moment ago must take it for this long: a first screen may come and go. Milliseconds. */
const STEADY_AFTER_MS = 500;
/** How long a program may take to show a text that was pasted. Milliseconds. */
const SHOW_LIMIT_MS = 5_000;
/** After this the Enter counts as swallowed and is pressed once more. Milliseconds. */
const RETRY_ENTER_AFTER_MS = 1_500;
/** How long a program may take to read what was typed. Milliseconds. */
const TAKE_LIMIT_MS = 10_000;
/** What a terminal in line mode takes as one line, its end included (N_TTY_BUF_SIZE of Linux). Bytes. */
const LINE_LIMIT_BYTES = 4096;

export interface DeliveryOptions {
  readonly enter: boolean;
  /** How long to wait for somebody to read. Milliseconds. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Gives a text to the agent in a pane, and returns when the agent has it. Looks before each step: what was typed into the
 * wrong program can't be taken back. Throws `agent-not-ready` where nothing was typed, `timed-out` where the agent didn't
 * take what was typed; both with what is on the screen.
 */
export async function deliver(
  pane: AgentPane,
  first: Observation,
  text: string,
  options: DeliveryOptions,
): Promise<void> {
  const deadline = performance.now() + options.waitMs;
  const delivery = new Delivery(pane, options);
  for (let seen = first; ;) {
    const ready = await waitForReader(pane, seen, deadline, options);
    refuseLongLines(pane, ready, text);
    if (await delivery.run(ready, text)) return;
    // The screen changed between the look and the first key, so nothing was typed: look again.
    seen = await pane.look();
    if (performance.now() > deadline) throw notReady(pane, seen, obstacleOf(seen) ?? CHANGING, options.waitMs);
  }
}

/** Looks until the agent takes text. */
async function waitForReader(
  pane: AgentPane,
  first: Observation,
  deadline: number,
  { waitMs, signal }: DeliveryOptions,
): Promise<Observation> {
  const started = performance.now();
  let observation = first;
  let seen: Obstacle | undefined;
  let quiet = 0;
  let readySince: number | undefined = started - STEADY_AFTER_MS;
  for (;;) {
    const now = performance.now();
    const obstacle = obstacleOf(observation);
    // What is on the screen only for a moment is a reason neither to refuse nor to type.
    const lasting = obstacle?.reason === seen?.reason;
    if (obstacle === undefined) {
      // A program that hasn't got to its terminal yet looks like one that reads lines; only the time tells them apart.
      quiet = isAlike(observation, first) ? quiet + 1 : 0;
      readySince ??= now;
      const isSteady = observation.mode?.lines === true ? quiet > QUIET_LOOKS : now - readySince >= STEADY_AFTER_MS;
      if (isSteady) return observation;
    } else {
      quiet = 0;
      readySince = undefined;
      const over = now > deadline;
      if ((obstacle.isFinal && lasting) || over) throw notReady(pane, observation, obstacle, over ? waitMs : undefined);
    }
    seen = obstacle;
    first = observation;
    await pause(LOOK_INTERVAL_MS, `waiting for session ${pane.session}`, signal);
    observation = await pane.look();
  }
}

/** The number of looks for which a program in line mode must stay the same before it counts as waiting for a line. */
const QUIET_LOOKS = 2;

const isAlike = (one: Observation, other: Observation): boolean =>
  one.activity === other.activity && one.group === other.group && one.mode?.lines === other.mode?.lines;

/** Such a line would be cut, and the rest of the text read as something else. */
function refuseLongLines(pane: AgentPane, { mode }: Observation, text: string): void {
  if (mode?.lines !== true) return;
  const lengths = text.split('\n').map((line) => Buffer.byteLength(line) + 1);
  const index = lengths.findIndex((length) => length > LINE_LIMIT_BYTES);
  if (index < 0) return;
  throw new MngrFargateError(
    'usage',
    `line ${index + 1} of the text is too long: the program in session ${pane.session} reads lines of up to ${LINE_LIMIT_BYTES - 1} bytes, and this one has ${(lengths[index] ?? 0) - 1}`,
    { hint: 'copy the text to the host with `mngr-fargate cp`, and name the file in the message' },
  );
}

class Delivery {
  constructor(
    private readonly pane: AgentPane,
    private readonly options: DeliveryOptions,
  ) {}

  /** False where the screen was no longer as it was seen, and nothing was typed. */
  async run(ready: Observation, text: string): Promise<boolean> {
    const pasted = await this.paste(ready, text);
    if (pasted === undefined) return false;
    if (!this.options.enter) return true;
    await this.pause(ENTER_AFTER_MS);
    await this.submit(ready, pasted.tty);
    return true;
  }

  private async paste(ready: Observation, text: string): Promise<Observation | undefined> {
    if (text === '') return ready;
    const acted = await this.pane.paste(text, guardOf(ready));
    if (acted.kind === 'guard-failed') return undefined;
    const box = boxOf(ready);
    if (box === undefined) return acted.observation;
    // An input box shows what it was given. Where it doesn't, something else has taken the text, and Enter would answer it.
    return this.until(acted.observation, SHOW_LIMIT_MS, isFilled, (now) =>
      this.untaken(now, 'the text does not show in its input line; Enter was not pressed'),
    );
  }

  private async submit(ready: Observation, tty: string): Promise<void> {
    const { enter, before, after } = await this.pressEnter(ready);
    const started = performance.now();
    let now = after;
    for (let again = false; !isTaken(ready, before, now);) {
      const elapsed = performance.now() - started;
      if (elapsed > TAKE_LIMIT_MS) throw await this.withdrawn(now, tty);
      if (!again && elapsed > RETRY_ENTER_AFTER_MS && now.mode?.lines !== true) {
        again = true;
        await this.pane.press([enter], guardOf(now));
      }
      await this.pause(LOOK_INTERVAL_MS);
      now = await this.pane.look();
    }
  }

  /** Presses Enter where the text still has the keyboard; looks again when the screen has changed meanwhile. */
  private async pressEnter(
    ready: Observation,
  ): Promise<{ readonly enter: string; readonly before: Observation; readonly after: Observation }> {
    const started = performance.now();
    for (;;) {
      const before = await this.pane.look();
      const hasText = boxOf(ready) === undefined ? before.group === ready.group : boxOf(before) !== undefined;
      const enter = before.mode !== undefined && before.mode.lines && !before.mode.enterIsLineFeed ? 'C-j' : 'Enter';
      const acted = hasText ? await this.pane.press([enter], guardOf(before)) : undefined;
      if (acted?.kind === 'done') return { enter, before, after: acted.observation };
      if (!hasText || performance.now() - started > SHOW_LIMIT_MS)
        throw this.untaken(before, 'the screen changed before Enter could be pressed');
      await this.pause(LOOK_INTERVAL_MS);
    }
  }

  /** What a program doesn't read is taken back, so that it can't read it later as something else. */
  private async withdrawn(now: Observation, tty: string): Promise<MngrFargateError> {
    if (now.pending === undefined || now.pending === 0)
      return this.untaken(now, 'the text is still in its input line after Enter');
    const taken = await this.pane.discard(tty);
    return this.untaken(
      now,
      `the program did not read it within ${TAKE_LIMIT_MS / 1000} s${taken ? '; the text was taken back' : ''}`,
    );
  }

  private untaken(now: Observation, reason: string): MngrFargateError {
    return new MngrFargateError(
      'timed-out',
      `the agent in session ${this.pane.session} did not take the text: ${reason}`,
      {
        hint: 'look at the session with `mngr-fargate connect`; `--key Enter` presses Enter',
        details: { session: this.pane.session, reason: 'not-taken', screen: shownRows(now.screen) },
      },
    );
  }

  private async until(
    first: Observation,
    limitMs: number,
    isDone: (observation: Observation) => boolean,
    failure: (observation: Observation) => MngrFargateError,
  ): Promise<Observation> {
    const started = performance.now();
    let now = first;
    while (!isDone(now)) {
      if (performance.now() - started > limitMs) throw failure(now);
      await this.pause(LOOK_INTERVAL_MS);
      now = await this.pane.look();
    }
    return now;
  }

  private pause(milliseconds: number): Promise<void> {
    return pause(milliseconds, `typing into session ${this.pane.session}`, this.options.signal);
  }
}

const CHANGING: Obstacle = {
  reason: 'other-program',
  text: 'its screen kept changing',
  isFinal: false,
  hint: 'try again, or wait longer with --wait',
};

function boxOf({ foreground, screen }: Observation): InputBox | undefined {
  return foreground.kind === 'agent' && foreground.agent !== undefined ? inputBox(foreground.agent, screen) : undefined;
}

const isFilled = (observation: Observation): boolean => (boxOf(observation)?.text ?? '') !== '';

/** Who has the keyboard, and the last row of the input box, which a dialog would take the place of. */
function guardOf(observation: Observation): Guard {
  const box = boxOf(observation);
  const rows = box?.rows.map((index) => observation.screen.rows[index]?.text ?? '') ?? [];
  const last = rows.findLast((row) => row.trim() !== '');
  const exit = observation.exitCode === null ? '' : String(observation.exitCode);
  return { group: observation.group, exit, rows: last === undefined ? [] : [last] };
}

/**
 * Whether the agent has what was typed. An input box is empty then, or something else is in its place. Other programs
 * have read their terminal, and the line that was typed is no longer the one with the cursor.
 */
function isTaken(ready: Observation, before: Observation, now: Observation): boolean {
  if ((now.pending ?? 0) > 0) return false;
  if (boxOf(before) !== undefined) return !isFilled(now);
  const line = lineAtCursor(before);
  // A program that doesn't show what it reads can't be asked for more.
  if (now.mode?.lines === true || line === lineAtCursor(ready)) return true;
  return line !== lineAtCursor(now) || before.screen.cursor.y !== now.screen.cursor.y;
}

const lineAtCursor = ({ screen: { rows, cursor } }: Observation): string => rows[cursor.y]?.text.trim() ?? '';
