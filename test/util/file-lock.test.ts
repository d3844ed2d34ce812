import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { lockFileOf, withFileLock } from '../../lib/util/file-lock';
import { eventually } from '../support/run/eventually';

let folder: string;
let path: string;
let journal: string;
let program: string;

beforeAll(() => {
  const built = mkdtempSync(join(tmpdir(), 'mngr-lock-worker-'));
  program = join(built, 'worker.cjs');
  const source = join(__dirname, '../support/util/lock-worker.ts');
  buildSync({ entryPoints: [source], outfile: program, bundle: true, platform: 'node', logLevel: 'error' });
});
afterAll(() => rmSync(join(program, '..'), { recursive: true }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mngr-lock-'));
  path = join(folder, 'config.toml');
  journal = join(folder, 'journal');
  writeFileSync(journal, '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const workers: ChildProcess[] = [];
afterEach(() => workers.splice(0).forEach((worker) => worker.kill('SIGKILL')));

function work(rounds: number): ChildProcess {
  const worker = spawn(process.execPath, [program, path, journal, String(rounds)], { stdio: 'inherit' });
  workers.push(worker);
  return worker;
}

const lines = (): string[] => readFileSync(journal, 'utf8').split('\n').slice(0, -1);

/** The whole turns in the journal; throws where a second process wrote during the turn of one that was not killed. */
function turnsIn(written: readonly string[], killed: ReadonlySet<number>): number {
  let whole = 0;
  let turn: { pid: number; next: string } | undefined;
  const steps: Readonly<Record<string, string>> = { in: 'still in', 'still in': 'out' };
  for (const line of written) {
    const [, id = '', step = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
    const pid = Number(id);
    if (turn !== undefined && pid !== turn.pid && killed.has(turn.pid)) turn = undefined;
    if (turn === undefined ? step !== 'in' : pid !== turn.pid || step !== turn.next) {
      throw new Error(`"${line}" in the turn of ${turn?.pid ?? 'nobody'}:\n${written.join('\n')}`);
    }
    const next = steps[step];
    if (next === undefined) whole += 1;
    turn = next === undefined ? undefined : { pid, next };
  }
  return whole;
}

describe('withFileLock', () => {
  test('is held by one of many processes at a time, though holders and waiters are killed at any moment', async () => {
    const lasting = Array.from({ length: 5 }, () => work(25));
    const killed = new Set<number>();
    for (let index = 0; index < 12; index += 1) {
      const victim = work(1_000);
      const seen = lines().length;
      // Some die on their way to the lock, some while they wait for it, some while they have it.
      await eventually(async () => {
        const later = lines().slice(seen);
        expect(later.some((line) => line.startsWith(`${victim.pid} `)) || later.length > index).toBe(true);
      });
      victim.kill('SIGKILL');
      killed.add(victim.pid as number);
    }
    const codes = await Promise.all(lasting.map(async (worker) => worker.exitCode ?? (await once(worker, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0, 0, 0]);
    const written = lines();
    const ofLasting = written.filter((line) => !killed.has(Number(line.split(' ')[0])));
    expect(ofLasting).toHaveLength(5 * 25 * 3);
    expect(turnsIn(written, killed)).toBeGreaterThanOrEqual(5 * 25);
  });

  test('of a killed holder is free at once, and its file doesn’t get in the way', async () => {
    const holder = work(1_000);
    await eventually(async () => expect(lines().at(-1)).toMatch(/ in$/));
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await expect(withFileLock(path, async () => 'mine')).resolves.toBe('mine');
    expect(readdirSync(folder)).toEqual(['journal']);
  });

  test('ignores a file that an interrupted program left, whatever it says', async () => {
    writeFileSync(lockFileOf(path), `${process.pid}\n`);
    await expect(withFileLock(path, async () => 'mine')).resolves.toBe('mine');
  });

  test('admits the calls of one process one after another, and a failure releases the lock', async () => {
    const order: string[] = [];
    const call = (name: string): Promise<void> =>
      withFileLock(path, async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} out`);
        throw new Error(name);
      });
    const ends = await Promise.allSettled(['a', 'b', 'c'].map(call));
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const index of [0, 2, 4]) expect(order[index]?.slice(0, 1)).toBe(order[index + 1]?.slice(0, 1));
  });

  test('outlives the removal of its folder', async () => {
    const inside = join(folder, 'state', 'up');
    await withFileLock(inside, async () => rmSync(join(folder, 'state'), { recursive: true }));
    await expect(withFileLock(inside, async () => 'next')).resolves.toBe('next');
  });

  test('that another process keeps is given up, with that process named', async () => {
    await withFileLock(path, async () => {
      await expect(withFileLock(path, async () => 'never', { timeoutMs: 50 })).rejects.toMatchObject({
        code: 'timed-out',
        message: `process ${process.pid} has held ${lockFileOf(path)} for 0.05 seconds`,
      });
    });
  });

  test('is waited for until the signal fires', async () => {
    await withFileLock(path, async () => {
      const abort = new AbortController();
      const waiting = withFileLock(path, async () => 'never', { signal: abort.signal });
      abort.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    });
  });

  test('says what is missing where there is no flock program', () => {
    const { status, stderr } = spawnSync(process.execPath, [program, path, journal, '1'], { env: { PATH: folder } });
    expect(status).toBe(1);
    expect(String(stderr)).toContain(`cannot lock ${lockFileOf(path)}: the program "flock" is not on the PATH`);
    expect(lines()).toEqual([]);
  });

  test('names a folder that cannot be written', async () => {
    await expect(withFileLock(join(journal, 'config.toml'), async () => 'never')).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(`cannot write ${journal}`),
    });
  });
});
