import { MngrFargateError } from '../../contract/errors';
import { hintOf, reasonOf } from '../../util/system-error';

/** True if a local or remote file function reports that the file doesn't exist. */
export const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** Turns a local or remote file error during a copy into a MngrFargateError. */
export function copyProblem(error: unknown, action: string): MngrFargateError {
  if (error instanceof MngrFargateError) return error;
  const { code, message } = error as { code?: unknown; message: string };
  const options = { cause: error };
  if (isMissing(error)) {
    return new MngrFargateError('not-found', `cannot ${action}: no such file or directory`, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new MngrFargateError('denied', `cannot ${action}: permission denied`, options);
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const hint = 'free some space on this machine, or choose another destination';
    return new MngrFargateError('failed', `cannot ${action}: no space left on this machine`, { ...options, hint });
  }
  // Errors of our own have words of their own, and no number of the system.
  const said = (error as NodeJS.ErrnoException).errno === undefined ? message : (reasonOf(error) ?? message);
  return new MngrFargateError('failed', `cannot ${action}: ${said}`, { ...options, hint: hintOf(code as string) });
}
