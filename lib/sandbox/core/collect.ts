import { FRAME_HEADER_BYTES } from '../../contract/sandboxd';
import type { CommandRequest, CommandStatus } from '../../contract/sandboxd';
import type { EngineClient, EnginePiece } from '../engine/engine-client';
import { frameOf, piecesFrom } from '../store/frames';

type LogPiece = Exclude<EnginePiece, { readonly type: 'alive' | 'end' }>;
/** How long one request waits for the end of a command, in milliseconds. */
const WAIT_MS = 30_000;

export interface Collected {
  readonly status: CommandStatus;
  /** Frames of the beginning and the end of the output, with a `gap` between them where it is longer than the limit. */
  readonly log: Buffer;
  /** The engine has output that the log has not. */
  readonly cut: boolean;
}

export interface Collectable {
  readonly id: string;
  readonly request: CommandRequest;
  /** Called once the engine knows the command. */
  readonly onTaken: () => void;
}

/**
 * Runs a command, or follows it if it was started before, to its end and keeps up to `limit` bytes of its output. Output
 * beyond that isn't fetched while it is written: once the command has ended, its last part is.
 */
export async function collect(
  engine: EngineClient,
  { id, request, onTaken }: Collectable,
  limit: number,
  signal: AbortSignal,
): Promise<Collected> {
  const pieces: LogPiece[] = [];
  let size = 0;
  let status: CommandStatus | undefined;
  for await (const piece of engine.run(id, request, { signal, onTaken })) {
    if (piece.type === 'end') status = piece.status;
    if (piece.type === 'end' || piece.type === 'alive') continue;
    pieces.push(piece);
    size += sizeOf(piece);
    if (size > limit) break;
  }
  if (size <= limit) {
    if (status !== undefined) return { status, log: logOf(pieces), cut: false };
    throw new Error('the engine ended a stream without its last frame');
  }
  status ??= await ended(engine, id, signal);
  const head = firstBytes(pieces, Math.floor(limit / 2));
  const headEnd = endOf(head.at(-1));
  const tailStart = Math.max(headEnd, status.offset - Math.floor(limit / 2));
  const tail: LogPiece[] = [];
  for await (const piece of engine.output(id, { from: tailStart, follow: false, signal })) {
    if (piece.type !== 'end' && piece.type !== 'alive') tail.push(piece);
  }
  const gap: LogPiece[] = tailStart > headEnd ? [{ type: 'gap', offset: headEnd, length: tailStart - headEnd }] : [];
  return { status, log: logOf([...head, ...gap, ...piecesFrom(tail, tailStart)]), cut: true };
}

async function ended(engine: EngineClient, id: string, signal: AbortSignal): Promise<CommandStatus> {
  for (;;) {
    const status = await engine.command(id, { waitMs: WAIT_MS, signal });
    if (status.state === 'ended') return status;
  }
}

const sizeOf = (piece: LogPiece): number => FRAME_HEADER_BYTES + (piece.type === 'gap' ? 0 : piece.bytes.length);

const endOf = (piece: LogPiece | undefined): number =>
  piece === undefined ? 0 : piece.offset + (piece.type === 'gap' ? piece.length : piece.bytes.length);

function firstBytes(pieces: readonly LogPiece[], most: number): LogPiece[] {
  const first: LogPiece[] = [];
  let left = most;
  for (const piece of pieces) {
    if (left <= 0) break;
    first.push(piece.type === 'gap' ? piece : { ...piece, bytes: piece.bytes.subarray(0, left) });
    left -= sizeOf(piece);
  }
  return first;
}

/** Neighbours of the same stream become one frame: thousands of small writes would cost more than they hold. */
function logOf(pieces: readonly LogPiece[]): Buffer {
  const frames: Buffer[] = [];
  let run: Exclude<LogPiece, { readonly type: 'gap' }>[] = [];
  const flush = (): void => {
    const [first] = run;
    if (first !== undefined) frames.push(frameOf({ ...first, bytes: Buffer.concat(run.map(({ bytes }) => bytes)) }));
    run = [];
  };
  for (const piece of pieces) {
    const last = run.at(-1);
    if (piece.type === 'gap') {
      flush();
      frames.push(frameOf(piece));
    } else {
      if (last !== undefined && (last.type !== piece.type || endOf(last) !== piece.offset)) flush();
      run.push(piece);
    }
  }
  flush();
  return Buffer.concat(frames);
}
