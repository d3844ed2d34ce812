import { Worker } from 'node:worker_threads';

/** The time that the expressions of one call may take together. */
const TIME_LIMIT_MS = 2_000;

const WORKER = `
  const { parentPort, workerData: { expressions, texts } } = require('node:worker_threads');
  const compiled = expressions.map((expression) => new RegExp(expression));
  parentPort.postMessage(compiled.map((one) => texts.map((text) => one.test(text))));
`;

/** Thrown when expressions take longer than they may. */
export class ExpressionTimeoutError extends Error {
  override readonly name = 'ExpressionTimeoutError';
}

/**
 * Which of the texts each expression matches. They come from callers, and some never finish on some texts: they run in
 * their own thread, which can be ended, so that the endpoint keeps answering. Throws ExpressionTimeoutError.
 */
export function matchExpressions(expressions: readonly string[], texts: readonly string[]): Promise<boolean[][]> {
  if (expressions.length === 0 || texts.length === 0) {
    return Promise.resolve(expressions.map(() => texts.map(() => false)));
  }
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { eval: true, workerData: { expressions, texts }, env: {}, execArgv: [] });
    const timer = setTimeout(() => {
      reject(new ExpressionTimeoutError(`the expressions took longer than ${TIME_LIMIT_MS / 1000} s`));
      void worker.terminate();
    }, TIME_LIMIT_MS);
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', () => clearTimeout(timer));
  });
}
