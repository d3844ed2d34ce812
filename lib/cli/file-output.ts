import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/**
 * Standard output or error that was redirected to a file or a device. Node's own stream for these takes a short write, as on
 * a disk that is nearly full, for a whole one, and throws what it should emit.
 */
export class FileOutput extends Writable {
  readonly isTTY = false;

  constructor(private readonly descriptor: number) {
    super({ decodeStrings: true });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(this.descriptor, chunk, at);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}

/** The process's stream for a descriptor, or one of ours where that would lose data. */
export function outputOf(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const descriptor = (stream as { fd?: number }).fd;
  if (stream.isTTY || descriptor === undefined || !isFileLike(descriptor)) return stream;
  // Only what Io's users need: isTTY and what every Writable has.
  return new FileOutput(descriptor) as unknown as NodeJS.WriteStream;
}

function isFileLike(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() || stats.isCharacterDevice();
  } catch {
    return false;
  }
}
