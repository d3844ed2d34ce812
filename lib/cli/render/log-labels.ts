import { printable } from '../../util/printable';
import type { Colour } from './colour';
import { coloured } from './colour';

const PALETTE: readonly Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'];
const SHORT_ID = 8;

/** Who wrote a line. */
export interface LogAuthor {
  /** Id of the task. */
  readonly task: string;
  readonly container: string;
  readonly service: string | null;
}

/**
 * Puts the name of its container before a line where the lines of several come together. A container keeps its colour. The
 * further lines of one event are indented below the first.
 */
export class LogLabels {
  private readonly colours = new Map<string, Colour>();
  private isNeeded = false;

  constructor(private readonly colour: boolean) {}

  /** Says how many containers' lines come together. */
  sources(count: number): void {
    if (count > 1) this.isNeeded = true;
  }

  /** A whole event with its label and a line end. `text` is printable. */
  labelled({ task, container, service }: LogAuthor, text: string): string {
    if (!this.isNeeded) return `${text}\n`;
    const key = `${task}/${container}`;
    const known = this.colours.get(key) ?? (PALETTE[this.colours.size % PALETTE.length] as Colour);
    this.colours.set(key, known);
    const name = printable([service ?? container, task.slice(0, SHORT_ID)].join('/'));
    const label = service === null || service === container ? name : `${name}/${printable(container)}`;
    const [first = '', ...rest] = text.split('\n');
    const indent = ' '.repeat(label.length + 1);
    const lines = [`${this.colour ? coloured(known, label) : label} ${first}`, ...rest.map((line) => indent + line)];
    return `${lines.join('\n')}\n`;
  }
}
