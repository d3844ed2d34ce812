import { MngrFargateError } from '../../contract/errors';

/** True for a file function's answer, here or at the other end, that there is no such file. */
export const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT';

/** An error of the file functions of either end while copying, as one of ours. */
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
  return new MngrFargateError('failed', `cannot ${action}: ${message}`, options);
}
