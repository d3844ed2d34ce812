import { isMngrFargateError } from '../../lib/contract/errors';

/**
 * CloudFormation accepts a response of 4096 bytes, part of which the framework and the ids take up. A reason of this
 * length is also still readable.
 */
const MAX_BYTES = 1500;

/**
 * The error for the framework, which passes its text to CloudFormation as the resource's status reason. One line, without
 * a stack trace, since it is read by the person who deploys the stack.
 */
export function failure(error: unknown, note?: string): Error {
  const { message } = error as Error;
  const hint = isMngrFargateError(error) ? error.hint : undefined;
  const text = [message, hint, note].filter((part) => part !== undefined).join('; ');
  const told = new Error(shortened(text.replaceAll(/\s+/g, ' ')));
  told.stack = told.message;
  return told;
}

/** Cuts text in the middle: the beginning says what failed, the end what to do. */
function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_BYTES) return text;
  const head = bytes
    .subarray(0, MAX_BYTES * 0.7)
    .toString()
    .replace(/\uFFFD+$/, '');
  const tail = bytes
    .subarray(bytes.length - MAX_BYTES * 0.25)
    .toString()
    .replace(/^\uFFFD+/, '');
  return `${head} […] ${tail}`;
}
