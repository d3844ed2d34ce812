/** Milliseconds from the call until the first byte of output, if there was one, and until the end. */
export interface Times {
  readonly firstByte: number;
  readonly total: number;
}

/** Something that runs command lines in one place, one after another. */
export interface Contender {
  readonly name: string;
  /** Reads all output, of which `bytes` are expected; throws unless the command succeeds. */
  run(command: string, bytes: number): Promise<Times>;
  /** Gives whole answers only: it has no first byte, and is spared large outputs. */
  readonly streams: boolean;
  end(): Promise<void>;
}

/** Gives a contender, or says why there is none on this machine. */
export type Enter = () => Promise<Contender | string>;
