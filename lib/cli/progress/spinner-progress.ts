import type { CreateProgress } from '../../hosts/model/types';
import type { Io } from '../io';
import { hasColour } from '../io';
import type { Colour } from '../render/colour';
import { coloured } from '../render/colour';
import { formatElapsed } from '../render/format';
import type { Progress } from './progress';
import { describeStep } from './progress';
import { printable } from '../../util/printable';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : '');

interface Line {
  readonly began: number;
  text: string;
  mark: string | undefined;
  ended: number | undefined;
}

/** A line for each host, redrawn in place with ECS's state and the time that has passed. */
export class SpinnerProgress implements Progress {
  private readonly lines: Map<string, Line>;
  private readonly timer: NodeJS.Timeout;
  private readonly nameWidth: number;
  private drawn = 0;
  private frame = 0;

  constructor(
    private readonly io: Io,
    names: readonly string[],
  ) {
    const began = performance.now();
    this.lines = new Map(names.map((name) => [name, { began, text: '', mark: undefined, ended: undefined }]));
    this.nameWidth = Math.max(...names.map((name) => printable(name).length));
    this.timer = setInterval(() => this.draw(), FRAME_MS);
    io.stderr.write(HIDE_CURSOR);
    this.draw();
  }

  update(progress: CreateProgress): void {
    const line = this.lines.get(progress.name);
    if (line !== undefined) line.text = printable(describeStep(progress));
  }

  finish(name: string, outcome: 'ready' | 'started' | 'failed'): void {
    const line = this.lines.get(name);
    if (line === undefined) return;
    line.ended = performance.now();
    line.mark = outcome === 'failed' ? this.styled('red', '✗') : this.styled('green', '✓');
    if (outcome === 'failed') line.text = 'failed';
    this.draw();
  }

  close(): void {
    clearInterval(this.timer);
    this.draw();
    this.io.stderr.write(SHOW_CURSOR);
  }

  private styled(colour: Colour, text: string): string {
    return hasColour(this.io.stderr, this.io.environment) ? coloured(colour, text) : text;
  }

  private draw(): void {
    this.frame += 1;
    const spinner = this.styled('cyan', FRAMES[this.frame % FRAMES.length] ?? '');
    const rows = this.io.stderr.rows || Number.POSITIVE_INFINITY;
    // A terminal can't be redrawn above its first line, so a fleet larger than it shows what is still under way.
    const all = [...this.lines];
    const shown = all.length < rows ? all : all.filter(([, line]) => line.ended === undefined).slice(0, rows - 2);
    const texts = shown.map(([name, line]) => this.lineText(name, line, spinner));
    if (shown.length < all.length)
      texts.push(`  … ${all.filter(([, line]) => line.ended !== undefined).length} of ${all.length} done`);
    this.io.stderr.write(`${up(this.drawn)}\r${CLEAR_BELOW}${texts.map((text) => `${text}\n`).join('')}`);
    this.drawn = texts.length;
  }

  private lineText(name: string, { mark, text, began, ended }: Line, spinner: string): string {
    const elapsed = formatElapsed((ended ?? performance.now()) - began);
    const columns = this.io.stderr.columns || 80;
    const room = Math.max(0, columns - this.nameWidth - elapsed.length - 7);
    return `${mark ?? spinner} ${printable(name).padEnd(this.nameWidth)}  ${text.slice(0, room)}  ${this.styled('dim', elapsed)}`;
  }
}
