/* Scaffolding until the service's core is there: an in-memory service whose sandbox is this machine. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { EngineClient, FileStatus } from '../../../lib/sandbox/engine/engine-client';
import { SandboxError } from '../../../lib/sandbox/model/errors';
import type { SandboxService } from '../../../lib/sandbox/model/service';
import type { AuditEntry, Caller, OutputPiece, SandboxEvent, Session } from '../../../lib/sandbox/model/types';

interface Running {
  event: SandboxEvent;
  child: ChildProcess;
  log: OutputPiece[];
  offset: number;
  bus: EventEmitter;
  secret?: string;
}
interface Box {
  session: Session;
  events: Running[];
}

const secret = randomBytes(32);

export function scaffoldService(root: string) {
  const boxes = new Map<string, Box>();
  const audits: AuditEntry[] = [];
  const keys = new Map<string, Caller>([
    ['admin-secret', { tenant: 'default', keyId: 'k1', keyName: 'admin', admin: true }],
    ['other-secret', { tenant: 'other', keyId: 'k2', keyName: 'other', admin: false }],
  ]);
  const idempotent = new Map<string, unknown>();
  let nextId = 1;
  const find = (caller: Caller, id: string): Box => {
    const box = boxes.get(`${caller.tenant}/${id}`);
    if (box === undefined) throw new SandboxError('session_not_found', `there is no session ${id}`);
    return box;
  };
  const active = (caller: Caller, id: string): Box => {
    const box = find(caller, id);
    if (box.session.status !== 'active')
      throw new SandboxError('session_not_found', `there is no active session ${id}`);
    return box;
  };
  const running = (box: Box, seq: number): Running => {
    const event = box.events[seq - 1];
    if (event === undefined) throw new SandboxError('event_not_found', `there is no event ${seq}`);
    return event;
  };
  const local = (path: string) => (path.startsWith(root) ? path : path.replace(/^\/workspace/, root));
  const fail = (error: NodeJS.ErrnoException): never => {
    if (error.code === 'ENOENT') throw new SandboxError('file_not_found', `there is no such file`);
    if (error.code === 'EISDIR' || error.code === 'ERR_FS_EISDIR')
      throw new SandboxError('is_a_directory', 'it is a folder');
    throw error;
  };
  const stat = async (path: string): Promise<FileStatus> => {
    const s = await fs.lstat(local(path)).catch(fail);
    return {
      name: basename(path),
      path,
      type: s.isDirectory() ? 'directory' : s.isFile() ? 'file' : s.isSymbolicLink() ? 'link' : 'other',
      size: s.size,
      mode: s.mode & 0o7777,
      modifiedAt: s.mtimeMs,
      uid: s.uid,
      gid: s.gid,
    };
  };
  const engine = {
    stat,
    list: async (path: string) =>
      Promise.all((await fs.readdir(local(path)).catch(fail)).map((name) => stat(join(path, name)))),
    read: async (path: string, o?: { start?: number; end?: number }) => {
      const status = await stat(path);
      if (status.type === 'directory') throw new SandboxError('is_a_directory', 'it is a folder');
      return { status, data: createReadStream(local(path), { start: o?.start, end: o?.end }) };
    },
    write: async (path: string, data: Readable, o?: { mode?: number }) => {
      await fs.mkdir(dirname(local(path)), { recursive: true });
      const temporary = `${local(path)}.${randomUUID()}`;
      try {
        await pipeline(data, createWriteStream(temporary, { mode: o?.mode ?? 0o644 }));
        await fs.rename(temporary, local(path));
      } catch (error) {
        await fs.rm(temporary, { force: true });
        throw error;
      }
      return stat(path);
    },
    makeDirectory: async (path: string) => {
      await fs.mkdir(local(path), { recursive: true });
      return stat(path);
    },
    move: async (a: string, b: string) => {
      await fs.rename(local(a), local(b)).catch(fail);
      return stat(b);
    },
    changeMode: async (path: string, mode: number) => {
      await fs.chmod(local(path), mode).catch(fail);
      return stat(path);
    },
    remove: async (path: string, o?: { recursive?: boolean }) =>
      fs.rm(local(path), { recursive: o?.recursive ?? false }).catch(fail),
    pack: async (path: string) => spawn('tar', ['-c', '-C', dirname(local(path)), basename(path)]).stdout,
    unpack: async (path: string, data: Readable) => {
      const t = spawn('tar', ['-x', '-C', local(path)]);
      void pipeline(data, t.stdin);
      await once(t, 'close');
    },
    async *watch(path: string, o?: { signal?: AbortSignal }) {
      for await (const c of fs.watch(local(path), { signal: o?.signal }))
        yield { type: 'changed' as const, path: join(path, c.filename ?? '') };
    },
    async *search(path: string, what: { name?: string; limit?: number }) {
      for (const name of await fs.readdir(local(path)))
        if (what.name === undefined || name === what.name) yield { path: join(path, name) };
    },
  } as unknown as EngineClient;
  const service: SandboxService = {
    authenticate: async (key) => keys.get(key),
    admit: () => undefined,
    create: async (caller, request, options) => {
      const idem = options?.idempotencyKey && `${caller.tenant}/${options.idempotencyKey}`;
      if (idem && idempotent.has(idem)) return idempotent.get(idem) as Session;
      const id = request.id ?? randomUUID();
      const at = `${caller.tenant}/${id}`;
      if (boxes.get(at)?.session.status === 'active')
        throw new SandboxError('session_exists', `session ${id} is active`);
      const now = Date.now();
      const session: Session = {
        tenant: caller.tenant,
        id,
        generation: randomUUID(),
        status: 'active',
        ready: true,
        createdAt: now,
        lastActiveAt: now,
        expiresAt: now + 1,
        endsAt: now + 2,
        ttlSeconds: request.ttlSeconds ?? 1800,
        image: request.image ?? null,
        cpu: 256,
        memory: 512,
        metadata: request.metadata ?? {},
        destroyedAt: null,
        endReason: null,
      };
      boxes.set(at, { session, events: [] });
      if (idem) idempotent.set(idem, session);
      return session;
    },
    get: async (caller, id) => find(caller, id).session,
    list: async (caller, filter) => ({
      items: [...boxes.values()]
        .map((b) => b.session)
        .filter(
          (s) =>
            s.tenant === caller.tenant &&
            (filter.status?.includes(s.status) ?? true) &&
            Object.entries(filter.metadata ?? {}).every(([k, v]) => String(s.metadata[k]) === v),
        )
        .slice(0, filter.limit),
      next: null,
    }),
    change: async (caller, id, change) => {
      const box = active(caller, id);
      box.session = {
        ...box.session,
        ttlSeconds: change.ttlSeconds ?? box.session.ttlSeconds,
        metadata: { ...box.session.metadata, ...change.metadata },
      };
      return box.session;
    },
    destroy: async (caller, id) => {
      const box = active(caller, id);
      box.session = { ...box.session, status: 'destroyed', destroyedAt: Date.now(), endReason: 'deleted' };
      for (const e of box.events) e.child.kill('SIGKILL');
      return box.session;
    },
    diagnostics: async (caller, id) => ({
      session: find(caller, id).session,
      taskArn: null,
      taskState: null,
      stopCode: null,
      stoppedReason: null,
      containerReason: null,
      exitCode: null,
      endReason: null,
      problem: null,
      stages: { requested: 1 },
      logLines: [],
      cost: { usd: 0, usdPerHour: 0.01, billedFrom: null },
    }),
    submit: async (caller, id, request, options) => {
      const box = active(caller, id);
      const idem = options?.idempotencyKey && `${caller.tenant}/${options.idempotencyKey}`;
      if (idem && idempotent.has(idem)) return idempotent.get(idem) as SandboxEvent;
      const argv = request.argv ?? ['bash', '-c', request.command ?? ''];
      const [program = 'true', ...args] =
        request.terminal === undefined
          ? argv
          : ['script', '-qfec', `exec ${argv.map((a) => `'${a.replaceAll("'", `'\\''`)}'`).join(' ')}`, '/dev/null'];
      const started = Date.now();
      const child = spawn(program, args.map(local), {
        cwd: local(request.cwd ?? root),
        env: { ...process.env, ...request.env },
        stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
        detached: true,
      });
      child.stdin?.on('error', () => undefined);
      const nine = (child.stdio as unknown[])[9] as Socket;
      nine.on('error', () => undefined);
      nine.end(request.secret ?? '');
      const event: SandboxEvent = {
        id: nextId++,
        sessionId: id,
        seq: box.events.length + 1,
        kind: request.kind,
        status: 'running',
        payload: request.payload,
        result: null,
        submittedAt: started,
        startedAt: started,
        completedAt: null,
      };
      const entry: Running = { event, child, log: [], offset: 0, bus: new EventEmitter().setMaxListeners(0) };
      box.events.push(entry);
      if (request.stdin !== 'open' && request.terminal === undefined) child.stdin?.end();
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream]?.on('data', (bytes: Buffer) => {
          entry.log.push({ type: stream, offset: entry.offset, bytes });
          entry.offset += bytes.length;
          entry.bus.emit('more');
        });
      const timer = setTimeout(
        () => {
          if (child.pid) process.kill(-child.pid, 'SIGKILL');
        },
        (request.timeoutSeconds ?? 300) * 1000,
      );
      let timedOut = false;
      setTimeout(
        () => {
          timedOut = entry.event.completedAt === null;
        },
        (request.timeoutSeconds ?? 300) * 1000 - 1,
      ).unref();
      const end = (code: number | null, sig: string | null, detail?: string) => {
        clearTimeout(timer);
        const all = (stream: string) =>
          Buffer.concat(
            entry.log.flatMap((p) =>
              (p.type === 'stdout' || p.type === 'stderr') && p.type === stream ? [p.bytes] : [],
            ),
          );
        const stdout = all('stdout');
        const stderr = all('stderr');
        entry.event = {
          ...entry.event,
          status: code === 0 ? 'done' : 'error',
          completedAt: Date.now(),
          result: {
            reason: detail ? 'refused' : timedOut ? 'timeout' : sig ? 'signal' : 'exit',
            exitCode: code,
            signal: sig?.slice(3) ?? null,
            detail,
            durationMs: Date.now() - started,
            stdoutBytes: stdout.length,
            stderrBytes: stderr.length,
            droppedBytes: 0,
            stdout,
            stderr,
          },
        };
        entry.log.push({ type: 'exit', offset: entry.offset, event: entry.event });
        entry.bus.emit('more');
      };
      child.once('error', (error) => end(null, null, error.message));
      child.once('close', (code, sig) => {
        if (entry.event.result === null) end(code, sig);
      });
      if (idem) idempotent.set(idem, event);
      return event;
    },
    event: async (caller, id, seq, options) => {
      const entry = running(find(caller, id), seq);
      if (entry.event.result === null && options?.waitMs !== undefined) {
        const ended = new Promise<void>((resolve) => {
          const look = () => {
            if (entry.event.result !== null) {
              entry.bus.off('more', look);
              resolve();
            }
          };
          entry.bus.on('more', look);
        });
        let t: NodeJS.Timeout | undefined;
        await Promise.race([
          ended,
          new Promise((r) => {
            t = setTimeout(r, options.waitMs);
          }),
        ]);
        clearTimeout(t);
      }
      return entry.event;
    },
    history: async (caller, id, { limit, afterSeq }) => {
      const all = find(caller, id)
        .events.map((e) => e.event)
        .filter((e) => e.seq > afterSeq);
      return { events: all.slice(0, limit), hasMore: all.length > limit };
    },
    async *output(caller, id, seq, options) {
      const entry = running(find(caller, id), seq);
      const from = options?.from ?? 0;
      for (let index = 0; ; index++) {
        while (index >= entry.log.length) await once(entry.bus, 'more', { signal: options?.signal });
        const piece = entry.log[index] as OutputPiece;
        if (piece.type === 'exit') {
          yield piece;
          return;
        }
        if (piece.type !== 'stdout' && piece.type !== 'stderr') continue;
        const skip = Math.max(0, from - piece.offset);
        if (skip < piece.bytes.length)
          yield { ...piece, offset: piece.offset + skip, bytes: piece.bytes.subarray(skip) };
      }
    },
    stdin: async (caller, id, seq, data, { close }) => {
      const entry = running(active(caller, id), seq);
      if (entry.event.result !== null) throw new SandboxError('event_ended', 'it has ended');
      for await (const chunk of data) if (!entry.child.stdin?.write(chunk)) await once(entry.child.stdin!, 'drain');
      if (close) entry.child.stdin?.end();
    },
    signal: async (caller, id, seq, name) => {
      const entry = running(active(caller, id), seq);
      if (entry.event.result !== null) throw new SandboxError('event_ended', 'it has ended');
      process.kill(-(entry.child.pid as number), `SIG${name}`);
    },
    resize: async () => undefined,
    endShell: async () => undefined,
    use: async (caller, id, work) => {
      active(caller, id);
      return work(engine);
    },
    connectPort: async (caller, id, port) => {
      active(caller, id);
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect').catch((cause: unknown) => {
        throw new SandboxError('port_unreachable', `nothing listens on port ${port}`, { cause });
      });
      return socket;
    },
    createKey: async (r) => {
      const k = {
        id: randomUUID(),
        name: r.name,
        tenant: r.tenant ?? r.name,
        admin: r.admin ?? false,
        rate: r.rate ?? null,
        createdAt: Date.now(),
        lastUsedAt: null,
        revokedAt: null,
      };
      const s = randomUUID();
      keys.set(s, { tenant: k.tenant, keyId: k.id, keyName: k.name, admin: k.admin });
      return { key: k, secret: s };
    },
    listKeys: async () =>
      [...keys.values()].map((k) => ({
        id: k.keyId,
        name: k.keyName,
        tenant: k.tenant,
        admin: k.admin,
        rate: null,
        createdAt: 1,
        lastUsedAt: null,
        revokedAt: null,
      })),
    revokeKey: async (name) => {
      for (const [s, k] of keys)
        if (k.keyName === name) {
          keys.delete(s);
          return {
            id: k.keyId,
            name,
            tenant: k.tenant,
            admin: k.admin,
            rate: null,
            createdAt: 1,
            lastUsedAt: null,
            revokedAt: 2,
          };
        }
      throw new SandboxError('key_not_found', `there is no key ${name}`);
    },
    sign: (text) => createHmac('sha256', secret).update(text).digest('base64url'),
    verify: (text, signature) => createHmac('sha256', secret).update(text).digest('base64url') === signature,
    audit: (entry) => void audits.push(entry),
    auditTrail: async (caller, { limit }) => ({
      items: audits
        .filter((a) => a.tenant === caller.tenant)
        .reverse()
        .slice(0, limit),
      next: null,
    }),
    close: async () => undefined,
  };
  return service;
}
