import { isMngrFargateError } from '../../../lib/contract/errors';
import { readSettings } from '../../../lib/stacks/context';

/** What is wrong with a context, one line a problem; none for one that is taken. */
export const problemsOf = (context: Record<string, unknown>): unknown => {
  try {
    readSettings(context);
  } catch (error) {
    if (isMngrFargateError(error)) return error.details.problems;
    throw error;
  }
  return [];
};
