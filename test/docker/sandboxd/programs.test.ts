import fc from 'fast-check';
import type { CommandRequest, CommandResult } from '../../../lib/contract/sandboxd';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { describeWith } from '../../support/run/requirements';
import { EngineHost, rootRights } from '../../support/sandbox/engine-host';

/** What a program does, step by step. */
type Step =
  | { readonly does: 'write'; readonly to: 'stdout' | 'stderr'; readonly byte: number; readonly count: number }
  | { readonly does: 'sleep'; readonly ms: number };
type End = { readonly how: 'exit'; readonly code: number } | { readonly how: 'signal'; readonly name: 'TERM' | 'KILL' };

/** What happens to the reader and the engine, after so many pieces that the reader has got. */
interface Trouble {
  readonly after: number;
  readonly what: 'drop' | 'restart';
}

const steps = fc.array(
  fc.oneof(
    fc.record({
      does: fc.constant('write' as const),
      to: fc.constantFrom('stdout' as const, 'stderr' as const),
      byte: fc.integer({ min: 1, max: 255 }),
      count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 60_000, max: 200_000 })),
    }),
    fc.record({ does: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  ),
  { maxLength: 8 },
);
const end: fc.Arbitrary<End> = fc.oneof(
  fc.record({ how: fc.constant('exit' as const), code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ how: fc.constant('signal' as const), name: fc.constantFrom('TERM' as const, 'KILL' as const) }),
);
const troubles = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom('drop' as const, 'drop' as const, 'restart' as const),
  }),
  { maxLength: 3 },
);

function scriptOf(program: readonly Step[], last: End): string {
  const lines = program.map((step) =>
    step.does === 'sleep'
      ? `sleep 0.${String(step.ms).padStart(3, '0')}`
      : `head -c ${step.count} /dev/zero | tr '\\000' '\\${step.byte.toString(8).padStart(3, '0')}'${step.to === 'stderr' ? ' >&2' : ''}`,
  );
  return [...lines, last.how === 'exit' ? `exit ${last.code}` : `kill -${last.name} $$; sleep 10`].join('\n');
}

const expected = (program: readonly Step[], to: 'stdout' | 'stderr'): Buffer =>
  Buffer.concat(
    program.flatMap((step) => (step.does === 'write' && step.to === to ? [Buffer.alloc(step.count, step.byte)] : [])),
  );

describeWith(rootRights, 'random programs, readers and restarts', () => {
  let host: EngineHost;
  let client: EngineClient;
  let count = 0;
  beforeAll(() => {
    host = EngineHost.start();
    client = host.client();
  });
  afterAll(() => host.end());

  it.each(['shell', 'program'])('every byte of a %s comes once and in order, with one end', async (kind) => {
    await fc.assert(
      fc.asyncProperty(steps, end, troubles, async (program, last, trouble) => {
        const id = `random-${++count}`;
        const script = scriptOf(program, last);
        const request: CommandRequest =
          kind === 'shell' ? { shell: `shell-${count}`, command: script } : { argv: ['bash', '-c', script] };
        await client.start(id, request);
        const got = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
        const ends: CommandResult[] = [];
        let offset = 0;
        let restarted = false;
        const left: Trouble[] = [...trouble];
        while (ends.length === 0) {
          let pieces = 0;
          const next = left.shift();
          if (next?.what === 'restart' && next.after === 0) {
            restarted = true;
            host.kill('SIGTERM');
            host.begin();
          }
          for await (const piece of client.output(id, { from: offset })) {
            if (piece.type === 'end') ends.push(piece.status.result as CommandResult);
            if (piece.type === 'gap') throw new Error(`a gap of ${piece.length} bytes`);
            if (piece.type === 'stdout' || piece.type === 'stderr') {
              expect(piece.offset).toBe(offset);
              offset += piece.bytes.length;
              got[piece.type].push(piece.bytes);
            }
            if (next !== undefined && ++pieces >= next.after) {
              if (next.what === 'restart' && next.after > 0) {
                restarted = true;
                host.kill('SIGTERM');
                host.begin();
              }
              break;
            }
          }
        }
        expect(Buffer.concat(got.stdout).equals(expected(program, 'stdout'))).toBe(true);
        expect(Buffer.concat(got.stderr).equals(expected(program, 'stderr'))).toBe(true);
        const [result] = ends;
        const again = await client.command(id);
        expect(again.result).toEqual(result);
        expect(result?.stdoutBytes).toBe(expected(program, 'stdout').length);
        expect(result?.droppedBytes).toBe(0);
        if (result?.reason === 'lost') expect(restarted).toBe(true);
        else if (last.how === 'exit') expect(result).toMatchObject({ reason: 'exit', exitCode: last.code });
        else expect(result).toMatchObject({ reason: 'signal', signal: last.name });
        await client.forget(id);
        if (kind === 'shell') await client.endShell(`shell-${count}`);
      }),
      { numRuns: 25 },
    );
  });
});
