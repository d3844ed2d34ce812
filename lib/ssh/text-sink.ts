import { Writable } from 'node:stream';

/** Keeps the first bytes that are written to it and drops those beyond its limit. For answers and error messages. */
export class TextSink extends Writable {
  private readonly chunks: Buffer[] = [];
  private kept = 0;

  /** `limit` in bytes. */
  constructor(private readonly limit = 16 * 1024 * 1024) {
    super();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const part = chunk.subarray(0, this.limit - this.kept);
    this.kept += part.length;
    this.chunks.push(part);
    done();
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }
}
