import { isMngrFargateError, MngrFargateError } from '../contract/errors';

/** Work of one Hosts instance that continues after the call that started it has returned. */
export class Background {
  private readonly work = new Set<Promise<void>>();
  private readonly failures: unknown[] = [];

  add(work: Promise<void>): void {
    const heard: Promise<void> = work
      .catch((error: unknown) => void this.failures.push(error))
      .finally(() => this.work.delete(heard));
    this.work.add(heard);
  }

  /** Waits until all of it has ended. Throws what failed, once: several failures as one error that lists each. */
  async settle(): Promise<void> {
    await Promise.all(this.work);
    const failures = this.failures.splice(0);
    const [first] = failures;
    if (failures.length <= 1) {
      if (first !== undefined) throw first;
      return;
    }
    const messages = failures.map((failure) => (failure as Error).message);
    throw new MngrFargateError(isMngrFargateError(first) ? first.code : 'failed', messages.join('; '), {
      cause: new AggregateError(failures),
      hint: isMngrFargateError(first) ? first.hint : undefined,
      details: { problems: messages },
    });
  }
}
