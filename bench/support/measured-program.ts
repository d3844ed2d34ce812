import { once } from 'node:events';

/** What a program of a bench sends when it has measured. */
export interface Measurement<Answer> {
  readonly answer: Answer;
  /** Peak resident memory of its process, in bytes. */
  readonly peakMemory: number;
}

/** In the program: says that it is ready, waits for the word, works, and sends what came of it. */
export async function answerWhenTold<Answer>(work: () => Promise<Answer>): Promise<void> {
  const told = once(process, 'message');
  process.send?.('ready');
  await told;
  const answer = await work();
  const measurement: Measurement<Answer> = { answer, peakMemory: process.resourceUsage().maxRSS * 1024 };
  process.send?.(measurement);
}
