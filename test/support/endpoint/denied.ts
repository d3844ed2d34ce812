import type { Fault } from '../../../lib/local/control/faults';

/** A fault: AWS doesn't allow the operation, the next `times` times; without a number always. */
export const denied = (operation: string, times?: number): Fault => ({
  kind: 'error',
  operation,
  code: 'AccessDeniedException',
  message: 'no',
  status: 400,
  afterwards: false,
  ...(times !== undefined && { times }),
});
