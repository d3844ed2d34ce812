/** Calls of one operation since the log was last reset. */
export interface OperationCalls {
  readonly count: number;
  /** Calls answered with an error, by its code. */
  readonly errors: Readonly<Record<string, number>>;
}

interface LoggedCall {
  readonly service: string;
  readonly operation: string;
  readonly at: Date;
  error?: string;
}

/** The most calls that are kept one by one; further calls are only counted. */
const MAX_CALLS = 10_000;

/** What was called, for tests and benchmarks. */
export class CallLog {
  private calls: LoggedCall[] = [];
  private counts = new Map<string, { count: number; errors: Record<string, number> }>();

  /** Notes a call that begins; the returned function notes how it ended. */
  begin(service: string, operation: string, at: Date): (error: string | undefined) => void {
    const name = `${service}:${operation}`;
    const count = this.counts.get(name) ?? { count: 0, errors: {} };
    this.counts.set(name, count);
    count.count += 1;
    const call: LoggedCall = { service, operation, at };
    if (this.calls.length < MAX_CALLS) this.calls.push(call);
    return (error) => {
      if (error === undefined) return;
      call.error = error;
      count.errors[error] = (count.errors[error] ?? 0) + 1;
    };
  }

  summary(): Readonly<Record<string, OperationCalls>> {
    return Object.fromEntries(this.counts);
  }

  /** Single calls in the order they came, up to the first 10,000. */
  list(): readonly Readonly<LoggedCall>[] {
    return this.calls;
  }

  reset(): void {
    this.calls = [];
    this.counts = new Map();
  }
}
