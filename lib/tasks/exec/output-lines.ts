/** What the wrapper script says (wrapper-script.ts). */
export type WrapperEvent =
  | { readonly kind: 'unfit' }
  | { readonly kind: 'ready'; readonly input: InputEncoding }
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly bytes: Buffer }
  /** `complete` is false where lines were lost or changed on the way. */
  | { readonly kind: 'output-end'; readonly stream: OutputStream; readonly complete: boolean }
  | { readonly kind: 'exit'; readonly status: number; readonly bySignal: boolean }
  | { readonly kind: 'input-taken' }
  | { readonly kind: 'input-closed' };

export type OutputStream = 'stdout' | 'stderr';
export type InputEncoding = 'base64' | 'octal';

/** No line of the script is longer: of more without an end, only this much is kept. */
const MAX_LINE = 1024;

const STREAMS: Readonly<Record<string, OutputStream>> = { o: 'stdout', e: 'stderr' };

/**
 * Finds the script's lines in what the terminal shows. Everything else is passed over: the echo of the input, and what a
 * program writes to the terminal itself. Pieces may be cut anywhere.
 */
export class WrapperOutput {
  private rest = '';
  private hexadecimal = false;
  private readonly lines: Record<OutputStream, number> = { stdout: 0, stderr: 0 };

  constructor(
    private readonly marker: string,
    private readonly tag: string,
  ) {}

  /** What this piece completes, in order. */
  *push(piece: Buffer): Generator<WrapperEvent> {
    const parts = (this.rest + piece.toString('latin1')).split(';');
    this.rest = (parts.pop() ?? '').slice(-MAX_LINE);
    for (const part of parts) {
      const event = this.parse(part);
      if (event !== undefined) yield event;
    }
  }

  /** What stands before a line of the script is noise. */
  private parse(text: string): WrapperEvent | undefined {
    const output = text.lastIndexOf(this.tag);
    if (output !== -1) return this.parseOutput(text.slice(output + this.tag.length));
    const report = text.lastIndexOf(`${this.marker} `);
    return report === -1 ? undefined : this.parseReport(text.slice(report + this.marker.length + 1));
  }

  private parseOutput(text: string): WrapperEvent | undefined {
    const stream = STREAMS[text.charAt(0)];
    if (stream === undefined) return undefined;
    const payload = text.slice(1);
    const end = /^\. (\d+)$/.exec(payload);
    if (end !== null) return { kind: 'output-end', stream, complete: this.lines[stream] === Number(end[1]) };
    const bytes = this.hexadecimal ? fromHexadecimal(payload) : fromBase64(payload);
    if (bytes === undefined) return undefined;
    this.lines[stream] += 1;
    return { kind: 'output', stream, bytes };
  }

  private parseReport(text: string): WrapperEvent | undefined {
    if (text === 'n') return { kind: 'unfit' };
    if (text === 'a') return { kind: 'input-taken' };
    if (text === 'z') return { kind: 'input-closed' };
    const ready = /^s ([bx])([bp])$/.exec(text);
    if (ready !== null) {
      this.hexadecimal = ready[1] === 'x';
      return { kind: 'ready', input: ready[2] === 'b' ? 'base64' : 'octal' };
    }
    const exit = /^x (\d{1,3})( s)?$/.exec(text);
    return exit === null ? undefined : { kind: 'exit', status: Number(exit[1]), bySignal: exit[2] !== undefined };
  }
}

function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

/** Digits of od stand apart, those of hexdump together. */
function fromHexadecimal(text: string): Buffer | undefined {
  const digits = text.replaceAll(' ', '');
  return /^(?:[0-9a-f]{2})+$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}
