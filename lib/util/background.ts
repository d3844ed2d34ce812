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

  /** Waits until all of it has ended. Throws the first failure, once. */
  async settle(): Promise<void> {
    await Promise.all(this.work);
    const [first] = this.failures.splice(0);
    if (first !== undefined) throw first;
  }
}
