import { execFileSync } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import type { EngineClient } from '../lib/sandbox/engine/engine-client';
import { BareShell } from './support/bare-shell';
import type { Bench, Row } from './support/bench';
import type { Times } from './support/sandbox/contender';
import { runToEnd, startLocalEngine } from './support/sandbox/local-engine';
import { fastest, mebibytes, precise, quantile } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const MEBIBYTE = 1024 * 1024;
const LINES = 2_000_000;
/** What `seq 2000000` writes. */
const LINES_BYTES = 14_888_896;
const BIG_BYTES = 50 * MEBIBYTE;
const AT_ONCE = 100;

export const bench: Bench = {
  title: "the sandbox's exec engine against a bare bash over pipes",
  missing: () => (process.getuid?.() === 0 ? undefined : 'only root can run commands as another user'),
  run: ({ quick, progress }) =>
    withTemporaryFolder(async (folder) => {
      await chmod(folder, 0o755);
      const engine = await startLocalEngine(folder);
      const bare = new BareShell();
      try {
        const rows: Row[] = [];
        const { client } = engine;
        let count = 0;
        const run = (command: string, shell = 'bench'): Promise<Times> =>
          runToEnd(client, `bench-${++count}`, { shell, command });
        await run('true');
        await bare.run('true');

        progress('a stateful true');
        const [ours, theirs]: [number[], number[]] = [[], []];
        for (let round = 0; round < (quick ? 100 : 2_000); round++) {
          ours.push((await run('true')).total);
          theirs.push(await timed(() => bare.run('true')));
        }
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
        ] as const) {
          const [own, floor] = [quantile(ours, share), quantile(theirs, share)];
          rows.push({
            what: `stateful \`true\`, ${name}`,
            measured: precise(own),
            comparison: 'floor',
            against: `bare bash ${precise(floor)}`,
            ratio: own / floor,
            ...(name === 'p50' ? { aim: '< 2 ms', met: own < 2 } : {}),
          });
        }

        progress('the first byte');
        const first: number[] = [];
        const bareFirst: number[] = [];
        for (let round = 0; round < (quick ? 20 : 300); round++) {
          first.push((await run('echo x; sleep 0.01')).firstByte);
          const start = performance.now();
          bareFirst.push((await bare.run('echo x; sleep 0.01', 2)).firstByteAt - start);
        }
        const [firstP50, bareP50] = [quantile(first, 0.5), quantile(bareFirst, 0.5)];
        rows.push({
          what: 'first streamed byte, p50',
          measured: precise(firstP50),
          comparison: 'floor',
          against: `bare bash ${precise(bareP50)}`,
          ratio: firstP50 / bareP50,
          aim: '< 5 ms',
          met: firstP50 < 5,
        });

        for (const [what, command, bytes, most] of [
          ['2 million lines', `seq ${LINES}`, LINES_BYTES, 1_000],
          ['50 MiB of output', `head -c ${BIG_BYTES} /dev/zero`, BIG_BYTES, Infinity],
        ] as const) {
          progress(what);
          const [own, floor]: [number[], number[]] = [[], []];
          for (let round = 0; round < (quick ? 2 : 7); round++) {
            own.push((await run(command)).total);
            floor.push(await timed(() => bare.run(command, bytes)));
          }
          const ratio = fastest(own) / fastest(floor);
          rows.push({
            what,
            measured: precise(fastest(own)),
            comparison: 'floor',
            against: `bare bash ${precise(fastest(floor))}`,
            ratio,
            ...(most === Infinity ? {} : { aim: '< 1 s and ≤ 2 × the floor', met: fastest(own) < most && ratio <= 2 }),
          });
        }

        progress(`${AT_ONCE} commands at once`);
        const together = await timed(() =>
          Promise.all(Array.from({ length: AT_ONCE }, (_, index) => run('true', `shell-${index}`))),
        );
        const warm = await timed(() =>
          Promise.all(Array.from({ length: AT_ONCE }, (_, index) => run('true', `shell-${index}`))),
        );
        rows.push({
          what: `${AT_ONCE} commands at once, each in a shell of its own`,
          measured: precise(warm),
          comparison: 'peer',
          against: `with the start of the shells ${precise(together)}`,
          ratio: warm / together,
        });

        progress('from a timeout to the last death');
        const deaths: number[] = [];
        for (let round = 0; round < (quick ? 3 : 20); round++)
          deaths.push(await deathAfterTimeout(client, `death-${round}`));
        rows.push({
          what: 'from a timeout to the death of the last process, p50',
          measured: precise(quantile(deaths, 0.5)),
          comparison: 'limit',
          against: 'grace 2000 ms',
          ratio: quantile(deaths, 0.5) / 2_000,
        });

        const { memoryBytes } = await client.status();
        rows.push({
          what: 'memory of the engine after all of this',
          measured: mebibytes(memoryBytes),
          comparison: 'limit',
          against: mebibytes(200 * MEBIBYTE),
          ratio: memoryBytes / (200 * MEBIBYTE),
          aim: '≤ 1',
          met: memoryBytes <= 200 * MEBIBYTE,
        });
        return {
          rows,
          notes: [
            'Through the socket of the host, without SSH. A command is one request, answered with its output as a stream; the engine writes the output to disk and a journal besides, and the command runs as another user.',
          ],
        };
      } finally {
        await bare.end();
        await engine.end();
      }
    }),
};

/** Three processes, one of them in a session of its own. The clocks of the result and of the process table are the same. */
async function deathAfterTimeout(client: EngineClient, id: string): Promise<number> {
  const timeoutMs = 100;
  await client.start(id, {
    argv: ['sh', '-c', 'sleep 1000 & (setsid sleep 1000 &); sleep 1000'],
    timeoutMs,
  });
  const started = (await client.command(id)).startedAt ?? Date.now();
  await client.command(id, { waitMs: 30_000 });
  const mark = `SANDBOX_COMMAND=${id}`;
  const left = (): boolean =>
    execFileSync('sh', ['-c', 'grep -lzxF -- "$1" /proc/[0-9]*/environ 2>/dev/null || true', 'sh', mark]).length > 0;
  while (left());
  return Date.now() - started - timeoutMs;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
