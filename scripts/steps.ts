/** Runs named steps and prints each with its time. */
export class Steps {
  private readonly begun = process.hrtime.bigint();

  /** Runs a step and prints its result's `note` after the name. A step that throws is printed as failed, and the error rethrown. */
  async run<Result extends { readonly note: string }>(name: string, work: () => Promise<Result>): Promise<Result> {
    const start = process.hrtime.bigint();
    try {
      const result = await work();
      this.print('ok    ', name, result.note, start);
      return result;
    } catch (error) {
      this.print('FAILED', name, '', start);
      throw error;
    }
  }

  /** Seconds since this object was created. */
  get seconds(): string {
    return secondsSince(this.begun);
  }

  private print(state: string, name: string, note: string, start: bigint): void {
    console.log(`${state} ${secondsSince(start).padStart(6)} s  ${name}${note === '' ? '' : `: ${note}`}`);
  }
}

const secondsSince = (start: bigint): string => (Number(process.hrtime.bigint() - start) / 1e9).toFixed(2);
