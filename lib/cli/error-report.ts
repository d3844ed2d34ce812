import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import { printable, printableLines } from '../util/printable';
import { systemProblem } from '../util/system-error';

/** What `--json` prints for an error. */
export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly details: Readonly<Record<string, unknown>>;
  };
}

/** An error as the commands report it, those of the system in words. Unexpected errors become `failed`, with a hint on how to see the stack trace. */
export function asMngrFargateError(error: unknown, signal?: AbortSignal): MngrFargateError {
  if (isMngrFargateError(error)) return error;
  if (signal?.aborted) return new MngrFargateError('aborted', 'aborted', { cause: error });
  const system = systemProblem(error);
  if (system !== undefined) {
    const { code, message, hint, systemError } = system;
    return new MngrFargateError(code, message, { cause: error, hint, details: { systemError } });
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new MngrFargateError('failed', `unexpected error: ${message.split('\n')[0] ?? ''}`, {
    cause: error,
    hint: 'set MNGR_FARGATE_DEBUG=1 to see the stack trace',
  });
}

export const errorDocument = ({ code, message, hint, details }: MngrFargateError): ErrorDocument => ({
  error: { code, message, hint: hint ?? null, details },
});

/** Codes of failures that AWS or the host explain; their details are always worth a look. */
const EXPLAINED = ['task-stopped', 'no-capacity', 'timed-out', 'unreachable', 'agent-not-ready'];

const isShown = (value: unknown): boolean => value !== null && value !== undefined && value !== '';

function detailLines(details: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(details)
    .filter(([, value]) => isShown(value))
    .flatMap(([key, value]) => {
      const values = (Array.isArray(value) ? value : [value]).flatMap(linesOf);
      if (!Array.isArray(value) && values.length === 1) return [`  ${key}: ${values.join('')}`];
      return [`  ${key}:`, ...values.map((line) => `    ${line}`)];
    });
}

/** Text of several lines stays one below its key, where no line of it can pass for one of ours. */
const linesOf = (value: unknown): string[] =>
  typeof value === 'string' ? printableLines(value).trimEnd().split('\n') : [printable(JSON.stringify(value))];

/** The causes of an error, one line each. */
function causeLines(error: MngrFargateError): string[] {
  const lines: string[] = [];
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  cause: ${printable(`${cause.name}: ${cause.message}`)}`);
  }
  return lines;
}

/** Lines for a person: the message, what AWS said, what to do. Stack traces only when asked for. */
export function errorText(
  error: MngrFargateError,
  { verbose, debug, subject }: { verbose: boolean; debug: boolean; subject?: string },
): string {
  const lines = [printable(`mngr-fargate: ${subject === undefined ? '' : `${subject}: `}${error.message}`)];
  const { screen } = error.details;
  lines.push(...detailLines(verbose || EXPLAINED.includes(error.code) ? error.details : { screen }));
  if (verbose) lines.push(...causeLines(error));
  if (error.hint !== undefined) lines.push(`  hint: ${printable(error.hint)}`);
  if (debug) lines.push(printableLines(stackOf(error)));
  return lines.map((line) => `${line}\n`).join('');
}

function stackOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
