import { MngrFargateError } from '../../contract/errors';
import { strange } from './refusals';

/** Bytes of a record without its content: a path has at most 4096, and a link's target as many. */
const MAX_RECORD_BYTES = 64 * 1024;

/** Takes a stream of bytes apart: into records that end with a zero byte, and contents of known length between them. */
export class RecordReader {
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The bytes before the next zero byte. Throws `failed` at the end of the stream, and for a record that is too long. */
  async record(): Promise<Buffer> {
    for (let searched = 0; ;) {
      const end = this.rest.indexOf(0, searched);
      if (end !== -1) {
        const record = this.rest.subarray(0, end);
        this.rest = this.rest.subarray(end + 1);
        return record;
      }
      searched = this.rest.length;
      if (searched > MAX_RECORD_BYTES) throw strange();
      await this.more();
    }
  }

  /** So many bytes, piece by piece. All of them must be taken before the next record is read. */
  async *content(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (this.rest.length === 0) await this.more();
      const piece = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(piece.length);
      left -= piece.length;
      if (piece.length > 0) yield piece;
    }
  }

  private async more(): Promise<void> {
    const { done, value } = await this.source.next();
    if (done === true) throw new MngrFargateError('failed', 'the copy broke off');
    this.rest = this.rest.length === 0 ? value : Buffer.concat([this.rest, value]);
  }
}
