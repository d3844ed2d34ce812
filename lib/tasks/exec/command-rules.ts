import { MngrFargateError } from '../../contract/errors';
import { checkedName } from './input-lines';

/** Bytes of a command's words. AWS documents no limit of its own; a program's arguments have one of 128 KiB. */
const MAX_COMMAND_BYTES = 48 * 1024;

/** Throws `usage` for a command or variables that can't be passed on. */
export function checkCommand(options: {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}): void {
  const bytes = options.command.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (bytes > MAX_COMMAND_BYTES) {
    throw new MngrFargateError(
      'usage',
      `the command is ${bytes} bytes long; at most ${MAX_COMMAND_BYTES} are allowed`,
      { hint: 'send long data through the standard input' },
    );
  }
  Object.keys(options.env ?? {}).forEach(checkedName);
}

/** The container lacks programs that the command's script needs. */
export const unfitError = (lacks: string): MngrFargateError =>
  new MngrFargateError('failed', `the container lacks ${lacks}, so nothing was run`, {
    hint: 'open a shell there instead: mngr-fargate connect',
  });

export const timedOutError = (milliseconds: number): MngrFargateError =>
  new MngrFargateError('timed-out', `the command ran longer than ${milliseconds / 1000} s and was ended`, {
    hint: 'give it more time with --timeout',
  });
