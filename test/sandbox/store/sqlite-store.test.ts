import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '../../../lib/sandbox/store';
import { ROOT } from '../../support/run/paths';
import { describeStore, newEvent, newSession, NO_LIMITS } from './contract';
import { life } from './store-life';

const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-store-'));
chmodSync(folder, 0o700);
let count = 0;
const newFile = (): string => join(folder, String((count += 1)), 'sandbox.db');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeStore('SqliteStore', () => SqliteStore.open({ file: newFile() }));
describeStore('SqliteStore with a rollback journal', () => SqliteStore.open({ file: newFile(), journal: 'rollback' }));

describe('the file of SqliteStore', () => {
  it('is its owner’s alone, and keeps what it was given over a restart', async () => {
    const file = newFile();
    const first = await SqliteStore.open({ file });
    const session = newSession();
    await first.createSession(session, NO_LIMITS);
    await first.submitEvent(session.generation, newEvent());
    for (const name of readdirSync(join(file, '..'))) expect(statSync(join(file, '..', name)).mode & 0o077).toBe(0);
    expect(statSync(join(file, '..')).mode & 0o077).toBe(0);
    await first.close();
    const second = await SqliteStore.open({ file });
    expect(second.serviceId).toBe(first.serviceId);
    expect(await second.openEvents(session.generation)).toHaveLength(1);
    await second.close();
  });

  it.each(['wal', 'rollback'] as const)('refuses a second writer (%s)', async (journal) => {
    const file = newFile();
    const first = await SqliteStore.open({ file, journal });
    await expect(SqliteStore.open({ file, journal, busyMs: 50 })).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('another process has it open'),
    });
    await first.close();
    await (await SqliteStore.open({ file, journal })).close();
  });

  it('changes from one journal to the other', async () => {
    const file = newFile();
    const first = await SqliteStore.open({ file, journal: 'wal' });
    const session = newSession();
    await first.createSession(session, NO_LIMITS);
    await first.close();
    const second = await SqliteStore.open({ file, journal: 'rollback' });
    expect(await second.generation(session.generation)).toBeDefined();
    expect(existsSync(`${file}-wal`)).toBe(false);
    await second.close();
  });

  it('says what is wrong with a file that is no database, that is damaged, or that a newer version wrote', async () => {
    const text = newFile();
    mkdirSync(join(text, '..'), { mode: 0o700 });
    writeFileSync(text, 'this is not a database, and long enough to be looked at'.repeat(100), { mode: 0o600 });
    await expect(SqliteStore.open({ file: text })).rejects.toThrow('it is not a SQLite database');

    const damaged = newFile();
    const store = await SqliteStore.open({ file: damaged, journal: 'rollback' });
    for (let index = 0; index < 200; index += 1) await store.createSession(newSession(), NO_LIMITS);
    await store.close();
    const bytes = readFileSync(damaged);
    bytes.fill(0x5a, 4096 * 3, 4096 * 12);
    writeFileSync(damaged, bytes);
    await expect(SqliteStore.open({ file: damaged })).rejects.toThrow(/it is damaged/);

    const newer = newFile();
    await (await SqliteStore.open({ file: newer })).close();
    const Sqlite = (await import('better-sqlite3')).default;
    const database = new Sqlite(newer);
    database.pragma('user_version = 999');
    database.close();
    await expect(SqliteStore.open({ file: newer })).rejects.toThrow('written by a newer mngr-fargate');
  });

  it('refuses a folder that others may write to', async () => {
    const file = newFile();
    mkdirSync(join(file, '..'));
    chmodSync(join(file, '..'), 0o777);
    await expect(SqliteStore.open({ file })).rejects.toThrow('other users can write to it');
  });
});

/** What a store that was cut off somewhere must have, given what was answered before. */
async function expectWhole(file: string, answered: readonly string[]): Promise<void> {
  const store = await SqliteStore.open({ file });
  try {
    const session = await store.session('default', 'life');
    if (answered.includes('created')) expect(session).toBeDefined();
    if (session === undefined) return;
    const key = { tenant: 'default', key: 'create', digest: 'd', at: session.createdAt };
    const again = await store.createSession(newSession({ id: 'life' }), NO_LIMITS, key);
    expect(again).toMatchObject({ type: 'repeated', session: { generation: 'g' } });
    const { events } = await store.events('g', { afterSeq: 0, limit: 10 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    for (const seq of [1, 2])
      if (answered.includes(`submitted ${seq}`)) expect(events.length).toBeGreaterThanOrEqual(seq);
    for (const event of events) {
      const hasEnded = event.status === 'done';
      expect(event.sealed === null).toBe(hasEnded);
      if (hasEnded) expect(event.result?.stdout.toString()).toBe('hi');
    }
    if (answered.includes('ended 1')) expect(events[0]?.status).toBe('done');
    if (answered.includes('destroyed')) expect(session.status).toBe('destroyed');
    else if (session.status === 'active')
      expect(await store.submitEvent('g', newEvent())).toMatchObject({ event: { seq: events.length + 1 } });
  } finally {
    await store.close();
  }
}

describe('a cut-off SqliteStore', () => {
  it.each(['wal', 'rollback'] as const)(
    'is whole in the copy of its files before any statement (%s)',
    async (journal) => {
      const file = newFile();
      const answered: string[] = [];
      const copies: { readonly file: string; readonly answered: readonly string[] }[] = [];
      const onStatement = (): void => {
        if (!existsSync(file)) return;
        const copy = newFile();
        mkdirSync(join(copy, '..'), { mode: 0o700 });
        for (const suffix of ['', '-wal', '-journal'])
          if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
        copies.push({ file: copy, answered: [...answered] });
      };
      const store = await SqliteStore.open({ file, journal, onStatement });
      await life(store, (what) => answered.push(what));
      await store.close();
      expect(answered).toHaveLength(5);
      expect(copies.length).toBeGreaterThan(40);
      for (const copy of copies) await expectWhole(copy.file, copy.answered);
    },
  );

  it('has what was answered after SIGKILL before any statement', async () => {
    const program = join(ROOT, 'test/sandbox/store/killed-store.ts');
    for (let statement = 1; ; statement += 4) {
      const file = newFile();
      const child = spawn(process.execPath, ['--import', 'tsx', program, file, String(statement)], { cwd: ROOT });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
        child.once('close', (_, how) => resolve(how)),
      );
      const answered = output.split('\n').filter((line) => line !== '');
      await expectWhole(file, answered);
      if (signal === null) {
        expect(answered).toContain('destroyed');
        break;
      }
      expect(signal).toBe('SIGKILL');
    }
  });
});
