import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Bench, BenchOptions, Row } from './support/bench';
import { BUILD } from './support/build';
import { runCommand } from './support/command';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import { bareContender } from './support/sandbox/bare-contender';
import { compare } from './support/sandbox/compare';
import type { Contender } from './support/sandbox/contender';
import { dockerExec } from './support/sandbox/docker-exec';
import { runToEnd, startLocalEngine } from './support/sandbox/local-engine';
import { seedSessions } from './support/sandbox/seeded';
import { apiContender, BenchService, runInSandbox } from './support/sandbox/service';
import type { SshMaster } from './support/sandbox/ssh-master';
import { sshMaster } from './support/sandbox/ssh-master';
import { sweRex } from './support/sandbox/swe-rex';
import { fastest, mebibytes, median, precise } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const MEBIBYTE = 1024 * 1024;
const FILE_BYTES = 50 * MEBIBYTE;
const AT_ONCE = 100;
/** Sandboxes are processes of this machine with an engine each: more of them would measure its memory and its cores. */
const SANDBOXES = { quick: 2, full: 10 };
const SESSIONS = 1_000;
const IDLE_BYTES = 100 * MEBIBYTE;
const BOX = 'bench';

/** Context of the stack that has them. */
const WITH_SANDBOXES = { sandbox: 'true', nagPacks: 'none' };

export const bench: Bench = {
  title: 'the sandbox service against what else runs commands elsewhere',
  missing: () => (process.getuid?.() === 0 ? undefined : 'only root can start hosts as processes'),
  run: (options) =>
    withTemporaryFolder(async (folder) => {
      await chmod(folder, 0o755);
      options.progress('building dist');
      await runCommand(BUILD);
      return withEndpoint(folder, 'processes', (endpoint) => measure(folder, endpoint, options), WITH_SANDBOXES);
    }),
};

async function measure(folder: string, endpoint: BenchEndpoint, options: BenchOptions) {
  const { quick, progress } = options;
  const home = join(folder, 'home');
  const dataDirectory = join(folder, 'data');
  await mkdir(home);
  const environment = endpoint.environment(home);
  let service = await BenchService.start(dataDirectory, environment);
  const idle = await service.memory();
  const rows: Row[] = [];
  const notes: string[] = [];
  try {
    await service.create(BOX);
    const ssh = await sshMaster(join(dataDirectory, 'hosts'), folder);
    const field = await contenders(folder, service, ssh, notes);
    try {
      rows.push(...(await compare(field, options)));
      progress('a file both ways');
      rows.push(...(await files(folder, service, ssh, quick ? 2 : 7)));
    } finally {
      for (const { end } of field) await end();
    }
    progress(`${AT_ONCE} commands at once`);
    rows.push(...(await atOnce(service, quick ? SANDBOXES.quick : SANDBOXES.full)));
    progress(`${SESSIONS} sessions`);
    const rounds = quick ? 20 : 200;
    const few = await answerTimes(service, rounds);
    await service.end();
    await seedSessions(dataDirectory, endpoint, SESSIONS);
    service = await BenchService.start(dataDirectory, environment);
    const many = await answerTimes(service, rounds);
    rows.push(
      ...(['get', 'list', 'exec'] as const).map((what) => ({
        what: `${CALLS[what]} with ${SESSIONS.toLocaleString('en')} sessions, p50`,
        measured: precise(many[what]),
        comparison: 'peer' as const,
        against: `with one ${precise(few[what])}`,
        ratio: many[what] / few[what],
      })),
      memoryRow('memory of the idle service', idle, true),
      memoryRow(`memory of the service with ${SESSIONS.toLocaleString('en')} sessions`, await service.memory(), false),
    );
    await service.destroy(BOX);
    return { rows, notes };
  } finally {
    await service.end();
  }
}

/** The floor first. What isn't on this machine becomes a note. */
async function contenders(
  folder: string,
  service: BenchService,
  ssh: SshMaster,
  notes: string[],
): Promise<readonly Contender[]> {
  const engine = await startLocalEngine(folder);
  let count = 0;
  const inHost: Contender = {
    name: 'in the host',
    streams: true,
    run: (command) => runToEnd(engine.client, `bench-${++count}`, { shell: 'bench', command }),
    end: () => engine.end(),
  };
  const field: Contender[] = [bareContender(), inHost, apiContender(service, BOX), ssh];
  for (const enter of [dockerExec, () => sweRex(folder)]) {
    const entered = await enter();
    if (typeof entered === 'string') notes.push(`not measured: ${entered}`);
    else field.push(entered);
  }
  return field;
}

/** A file into the sandbox and out of it, through the API and with `scp` over SSH to the same host. */
async function files(folder: string, { api }: BenchService, ssh: SshMaster, rounds: number): Promise<Row[]> {
  const [file, back] = [join(folder, 'file'), join(folder, 'back')];
  execFileSync('dd', ['if=/dev/urandom', `of=${file}`, 'bs=1M', 'count=50', 'status=none']);
  const path = `/sandbox/${BOX}/fs/raw?path=file`;
  const times = { up: [] as number[], down: [] as number[], scpUp: [] as number[], scpDown: [] as number[] };
  const timed = async (sample: number[], work: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await work();
    sample.push(performance.now() - start);
  };
  for (let round = 0; round < rounds; round++) {
    await timed(times.up, () => api.upload(path, createReadStream(file)));
    times.scpUp.push(await ssh.copy(file, 'remote:/tmp/bench-file'));
    await timed(times.down, async () => pipeline(await api.stream('GET', path), createWriteStream(back)));
    times.scpDown.push(await ssh.copy('remote:/tmp/bench-file', back));
  }
  const row = (way: string, own: readonly number[], scp: readonly number[]): Row => ({
    what: `a file of ${mebibytes(FILE_BYTES)} ${way}`,
    measured: precise(fastest(own)),
    comparison: 'peer',
    against: `\`scp\` ${precise(fastest(scp))}`,
    ratio: fastest(own) / fastest(scp),
    aim: '≤ 2',
    met: fastest(own) <= 2 * fastest(scp),
  });
  return [row('into a sandbox', times.up, times.scpUp), row('out of a sandbox', times.down, times.scpDown)];
}

/** On one sandbox in its one shell, and spread over several. */
async function atOnce(service: BenchService, sandboxes: number): Promise<Row[]> {
  const { api } = service;
  const boxes = Array.from({ length: sandboxes }, (_, index) => `box-${index}`);
  await Promise.all(boxes.map((id) => service.create(id)));
  const timed = async (place: (index: number) => string, count: number): Promise<number> => {
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, (_, index) => runInSandbox(api, place(index), 'true')));
    return performance.now() - start;
  };
  const spread = (index: number): string => boxes[index % sandboxes] as string;
  // Shells and connections are there before the clock starts.
  await timed(spread, sandboxes);
  const one = await timed(() => BOX, AT_ONCE);
  const several = await timed(spread, AT_ONCE);
  const single = await timed(() => BOX, 1);
  await Promise.all(boxes.map((id) => service.destroy(id)));
  const row = (where: string, milliseconds: number): Row => ({
    what: `${AT_ONCE} commands at once on ${where}`,
    measured: precise(milliseconds),
    comparison: 'peer',
    against: `one alone, ${AT_ONCE} times ${precise(single * AT_ONCE)}`,
    ratio: milliseconds / (single * AT_ONCE),
  });
  return [row('one sandbox', one), row(`${sandboxes} sandboxes`, several)];
}

const CALLS = { get: 'one session', list: 'a page of 50 sessions', exec: '`true`' } as const;

async function answerTimes({ api }: BenchService, rounds: number): Promise<Record<keyof typeof CALLS, number>> {
  const times = { get: [] as number[], list: [] as number[], exec: [] as number[] };
  const calls = {
    get: () => api.json('GET', `/sandbox/${BOX}`),
    list: () => api.json('GET', '/sandbox?limit=50'),
    exec: () => runInSandbox(api, BOX, 'true'),
  };
  const names = ['get', 'list', 'exec'] as const;
  for (const name of names) await calls[name]();
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      await calls[name]();
      times[name].push(performance.now() - start);
    }
  }
  return { get: median(times.get), list: median(times.list), exec: median(times.exec) };
}

const memoryRow = (what: string, bytes: number, hasAim: boolean): Row => ({
  what,
  measured: mebibytes(bytes),
  comparison: 'limit',
  against: mebibytes(IDLE_BYTES),
  ratio: bytes / IDLE_BYTES,
  ...(hasAim ? { aim: 'under 1', met: bytes < IDLE_BYTES } : {}),
});
