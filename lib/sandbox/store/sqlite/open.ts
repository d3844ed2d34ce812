import { closeSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Sqlite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { MngrFargateError } from '../../../contract/errors';
import { ensurePrivateFolder } from '../../../util/private-folder';
import { MIGRATIONS } from './migrations';

export interface SqliteOptions {
  /** The database's file. It and its folder, which is made, belong to this user alone. */
  readonly file: string;
  /** `wal` (default) for a local disk; `rollback` where the file lies on NFS, as on EFS: a WAL can't be shared there. */
  readonly journal?: 'wal' | 'rollback';
  /** How long another service may take to give the file up, in milliseconds. Default 2,000. */
  readonly busyMs?: number;
  /** Hears each statement before it is executed. */
  readonly onStatement?: (sql: string) => void;
}

/**
 * Opens the database for this process alone, checks it and brings its tables up to date. The lock is SQLite's own exclusive
 * one, which the operating system releases when the process ends, however that happens.
 */
export async function openDatabase(options: SqliteOptions): Promise<Database> {
  const file = resolve(options.file);
  const Opened = await loadSqlite();
  ensurePrivateFolder(dirname(file), "the sandbox service's database");
  let database: Database | undefined;
  try {
    // SQLite gives the files beside it the same mode.
    closeSync(openSync(file, 'a', 0o600));
    database = new Opened(file, { timeout: options.busyMs ?? 2_000, verbose: asListener(options.onStatement) });
    database.pragma('locking_mode = EXCLUSIVE');
    const journal = options.journal === 'rollback' ? 'DELETE' : 'WAL';
    const got = database.pragma(`journal_mode = ${journal}`, { simple: true });
    if (String(got).toUpperCase() !== journal)
      throw new Error(`its journal can't be changed to ${journal} (it is ${String(got)})`);
    database.pragma('foreign_keys = ON');
    // What a finished command was given is overwritten, not only unlinked.
    database.pragma('secure_delete = ON');
    // Takes the lock.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    check(database);
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    throw openProblem(file, error);
  }
}

const asListener = (listen: SqliteOptions['onStatement']) =>
  listen === undefined ? undefined : (sql: unknown) => listen(String(sql));

async function loadSqlite(): Promise<typeof Sqlite> {
  try {
    const module = await import('better-sqlite3');
    return module.default;
  } catch (error) {
    throw new MngrFargateError('failed', "the sandbox service's database needs the package better-sqlite3", {
      cause: error,
      hint: 'run "npm install better-sqlite3" beside mngr-fargate (it is an optional dependency)',
    });
  }
}

function check(database: Database): void {
  const rows = database.pragma('integrity_check') as { readonly integrity_check: string }[];
  const problems = rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
  if (problems.length > 0) throw Object.assign(new Error(problems[0]), { code: 'SQLITE_CORRUPT' });
}

function migrate(database: Database): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length)
    throw new Error(`it was written by a newer mngr-fargate (format ${version}, this one knows ${MIGRATIONS.length})`);
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

function openProblem(file: string, error: unknown): Error {
  if (error instanceof MngrFargateError) return error;
  const { code = '', message } = error as Error & { code?: string };
  const fail = (problem: string, hint?: string) =>
    new MngrFargateError('failed', `the database ${file} can't be used: ${problem}`, { cause: error, hint });
  if (code.startsWith('SQLITE_BUSY'))
    return fail('another process has it open', 'stop the other sandbox service, or choose another DB_PATH');
  if (code === 'SQLITE_NOTADB') return fail('it is not a SQLite database', 'choose another DB_PATH');
  if (code.startsWith('SQLITE_CORRUPT'))
    return fail(`it is damaged (${message})`, 'restore a copy of it, or move it away and start with an empty one');
  return fail(message);
}
