import type { CommandResult } from '../client';

/** What a model gets to read of a stream at most. Characters. */
const MOST = 60_000;

/** A text with its middle left out where it is too long for a model. */
export function shortened(text: string, most = MOST): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  return `${text.slice(0, half)}\n[… ${text.length - 2 * half} characters left out …]\n${text.slice(-half)}`;
}

/** A result for a model: what was printed, and how it ended where that says more. */
export function commandText(result: CommandResult): string {
  const { stdout, stderr, droppedBytes } = result;
  const parts = [
    shortened(stdout),
    stderr === '' ? '' : `[stderr]\n${shortened(stderr)}`,
    droppedBytes === 0 ? '' : `[${droppedBytes} bytes of output were dropped]`,
    `[${endText(result)}]`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function endText({ exitCode, signal, timedOut, durationMs }: CommandResult): string {
  if (timedOut) return `ended after ${durationMs / 1000} s: its time was up`;
  return signal === null ? `exit code ${exitCode}` : `killed by SIG${signal}`;
}
