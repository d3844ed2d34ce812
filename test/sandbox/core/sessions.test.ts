import { Readable } from 'node:stream';
import type { SandboxCore } from '../../../lib/sandbox/core/service';
import { SANDBOX_TAGS } from '../../../lib/sandbox/core/session-hosts';
import type { EventResult, OutputPiece, SandboxEvent } from '../../../lib/sandbox/model/types';
import { eventually } from '../../support/run/eventually';
import { ALICE, MALLORY, startSandboxEnvironment } from '../../support/sandbox/sandbox-environment';
import type { OpenService, SandboxEnvironment } from '../../support/sandbox/sandbox-environment';

let environment: SandboxEnvironment;
let open: OpenService;
let service: SandboxCore;
beforeAll(async () => {
  environment = await startSandboxEnvironment();
  open = await environment.open({ maxSessions: 3 });
  service = open.service;
});
afterAll(() => environment.close());

const sh = (command: string, more: object = {}) =>
  ({ kind: 'exec_submit', payload: { cmd: command }, command, shell: 'main', ...more }) as const;

async function exec(id: string, command: string, more: object = {}): Promise<SandboxEvent> {
  const { seq } = await service.submit(ALICE, id, sh(command, more));
  return service.event(ALICE, id, seq, { waitMs: 60_000 });
}

const text = (event: SandboxEvent): string => String(event.result?.stdout);

async function pieces(id: string, seq: number, from = 0): Promise<OutputPiece[]> {
  const all: OutputPiece[] = [];
  for await (const piece of service.output(ALICE, id, seq, { from })) if (piece.type !== 'alive') all.push(piece);
  return all;
}

const stdoutOf = (all: readonly OutputPiece[]): string =>
  Buffer.concat(all.flatMap((piece) => (piece.type === 'stdout' ? [piece.bytes] : []))).toString();

describe('a session', () => {
  beforeAll(() => service.create(ALICE, { id: 'box', metadata: { project: 'x' } }));

  it('is a task of its own that carries its tags and belongs to sandboxes', async () => {
    const { generation } = await service.get(ALICE, 'box');
    const [host] = await environment.launcher().list();
    expect(host).toMatchObject({
      owner: 'sandbox',
      ready: true,
      tags: { [SANDBOX_TAGS.service]: open.store.serviceId, [SANDBOX_TAGS.generation]: generation },
    });
    expect(host?.name).toMatch(/^sandbox-[0-9a-f]{32}$/);
    const { stages, taskArn, taskState } = await service.diagnostics(ALICE, 'box');
    expect({ taskArn, taskState }).toEqual({ taskArn: host?.taskArn, taskState: 'RUNNING' });
    expect(Object.keys(stages)).toEqual(expect.arrayContaining(['requested', 'task', 'address', 'ssh', 'ready']));
  });

  it('keeps the state of its shell from one command to the next, and both streams apart', async () => {
    expect(await exec('box', 'cd /tmp; export X=1; echo out; echo err >&2')).toMatchObject({
      ...{ status: 'done', seq: 1, payload: { cmd: 'cd /tmp; export X=1; echo out; echo err >&2' } },
      result: { exitCode: 0, stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n') },
    });
    expect(text(await exec('box', 'pwd; echo $X'))).toBe('/tmp\n1\n');
    expect(await exec('box', '(exit 3)')).toMatchObject({ status: 'error', result: { exitCode: 3, reason: 'exit' } });
  });

  it('runs the commands of a shell in order, and others beside them', async () => {
    const first = await service.submit(ALICE, 'box', sh('read line; echo $line > /tmp/order', { stdin: 'open' }));
    const second = await service.submit(ALICE, 'box', sh('cat /tmp/order'));
    const beside = await service.submit(ALICE, 'box', {
      kind: 'exec_submit',
      payload: { argv: ['echo', '$HOME'] },
      argv: ['echo', '$HOME'],
    });
    expect(text(await service.event(ALICE, 'box', beside.seq, { waitMs: 60_000 }))).toBe('$HOME\n');
    expect((await service.event(ALICE, 'box', second.seq)).status).toBe('pending');
    await service.stdin(ALICE, 'box', first.seq, Readable.from([Buffer.from('told\n')]), { close: true });
    expect(text(await service.event(ALICE, 'box', second.seq, { waitMs: 60_000 }))).toBe('told\n');
  });

  it('takes a hundred commands at once, and numbers and runs each once', async () => {
    const events = await Promise.all(
      Array.from({ length: 100 }, (_, index) => service.submit(ALICE, 'box', sh(`echo ${index} >> /tmp/hundred`))),
    );
    const last = Math.max(...events.map(({ seq }) => seq));
    await service.event(ALICE, 'box', last, { waitMs: 60_000 });
    const lines = text(await exec('box', 'cat /tmp/hundred'))
      .trim()
      .split('\n');
    expect(lines).toEqual(Array.from({ length: 100 }, (_, index) => String(index)));
  });

  it('streams output while the command runs, from any offset, and after its end', async () => {
    const { seq } = await service.submit(ALICE, 'box', sh('echo one; read x; echo two', { stdin: 'open' }));
    const stream = service.output(ALICE, 'box', seq);
    let seen = '';
    for await (const piece of stream) {
      if (piece.type === 'stdout') seen += piece.bytes.toString();
      if (seen === 'one\n')
        await service.stdin(ALICE, 'box', seq, Readable.from([Buffer.from('x\n')]), { close: true });
      if (piece.type === 'exit') expect(piece.event).toMatchObject({ seq, status: 'done' });
    }
    expect(seen).toBe('one\ntwo\n');
    expect(stdoutOf(await pieces('box', seq, 2))).toBe('e\ntwo\n');
    expect((await pieces('box', seq, 8)).map(({ type }) => type)).toEqual(['exit']);
  });

  it('ends commands by signal: one that runs, and one that waits', async () => {
    const running = await service.submit(ALICE, 'box', sh('echo here; sleep 1000'));
    const waiting = await service.submit(ALICE, 'box', sh('echo never > /tmp/never'));
    for await (const piece of service.output(ALICE, 'box', running.seq)) if (piece.type === 'stdout') break;
    await service.signal(ALICE, 'box', waiting.seq, 'TERM');
    expect(await service.event(ALICE, 'box', waiting.seq)).toMatchObject({
      ...{ status: 'error', startedAt: null },
      result: { reason: 'signal', signal: 'TERM' },
    });
    await service.signal(ALICE, 'box', running.seq, 'KILL');
    expect(await service.event(ALICE, 'box', running.seq, { waitMs: 60_000 })).toMatchObject({
      ...{ status: 'error' },
      result: { signal: 'KILL', stdout: Buffer.from('here\n') },
    });
    await expect(service.signal(ALICE, 'box', running.seq, 'KILL')).rejects.toMatchObject({ code: 'event_ended' });
    expect(text(await exec('box', 'ls /tmp/never 2>&1 | wc -l; ls /tmp/never 2>/dev/null'))).toBe('1\n');
  });

  it('keeps the beginning and the end of long output, and all of it for streams', async () => {
    await service.close();
    open = await environment.open({ maxSessions: 3, resultBytes: 4096 });
    service = open.service;
    const event = await exec('box', 'seq 1 10000');
    const { stdout, droppedBytes, stdoutBytes } = event.result as EventResult;
    const all = Array.from({ length: 10_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(stdoutBytes).toBe(all.length);
    expect(stdout.length + droppedBytes).toBe(all.length);
    expect(stdout.length).toBeLessThanOrEqual(4096);
    expect(all.startsWith(stdout.toString().slice(0, 1000))).toBe(true);
    expect(all.endsWith(stdout.toString().slice(-1000))).toBe(true);
    expect(stdoutOf(await pieces('box', event.seq))).toBe(all);
  });

  it('never shows or stores variables and secrets, and keeps nothing sealed once they are used', async () => {
    const event = await exec('box', 'echo ${#WORD}', { env: { WORD: 'much-too-secret' } });
    expect(text(event)).toBe('15\n');
    expect(JSON.stringify([event, await service.history(ALICE, 'box', { limit: 100, afterSeq: 0 })])).not.toContain(
      'much-too-secret',
    );
    const { generation } = await service.get(ALICE, 'box');
    expect(await open.store.event(generation, event.seq)).toMatchObject({ sealed: null });
  });

  it('is nobody else’s: another tenant can’t see, use or list it, and may use its id', async () => {
    const refused = { code: 'session_not_found' };
    await expect(service.get(MALLORY, 'box')).rejects.toMatchObject(refused);
    await expect(service.submit(MALLORY, 'box', sh('id'))).rejects.toMatchObject(refused);
    await expect(service.event(MALLORY, 'box', 1)).rejects.toMatchObject(refused);
    await expect(service.destroy(MALLORY, 'box')).rejects.toMatchObject(refused);
    await expect(service.use(MALLORY, 'box', async () => 1)).rejects.toMatchObject(refused);
    expect((await service.list(MALLORY, {})).items).toEqual([]);
    expect((await service.list(ALICE, { metadata: { project: 'x' } })).items).toMatchObject([{ id: 'box' }]);
  });

  it('answers a repeated request once, and refuses another under the same key', async () => {
    const options = { idempotencyKey: 'again' };
    const first = await service.submit(ALICE, 'box', sh('echo once >> /tmp/once', { env: { A: '1' } }), options);
    const second = await service.submit(ALICE, 'box', sh('echo once >> /tmp/once', { env: { A: '1' } }), options);
    expect(second.seq).toBe(first.seq);
    await expect(
      service.submit(ALICE, 'box', sh('echo once >> /tmp/once', { env: { A: '2' } }), options),
    ).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(text(await exec('box', 'cat /tmp/once'))).toBe('once\n');
  });

  it('refuses an id that is there, and counts the ceiling atomically', async () => {
    await expect(service.create(ALICE, { id: 'box' })).rejects.toMatchObject({ code: 'session_exists' });
    const creates = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => service.create(ALICE, { id: `more-${index}`, wait: false })),
    );
    const refused = creates.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as object] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) expect(error).toMatchObject({ code: 'max_containers', retryAfterSeconds: 10 });
    for (const { id } of (await service.list(ALICE, {})).items) if (id !== 'box') await service.destroy(ALICE, id);
    await eventually(async () => expect(await environment.hosts.running()).toHaveLength(1));
  });

  it('keeps its events after its end, and its id can be used again', async () => {
    const { generation } = await service.get(ALICE, 'box');
    const left = await service.submit(ALICE, 'box', sh('sleep 1000'));
    await service.event(ALICE, 'box', left.seq, { waitMs: 50 });
    expect(await service.destroy(ALICE, 'box')).toMatchObject({ status: 'destroyed', endReason: 'deleted' });
    await expect(service.destroy(ALICE, 'box')).rejects.toMatchObject({ code: 'session_not_found' });
    await eventually(async () => expect(await environment.hosts.running()).toEqual([]));
    expect(await service.event(ALICE, 'box', left.seq)).toMatchObject({ status: 'error', result: { reason: 'lost' } });
    expect(text(await service.event(ALICE, 'box', 1))).toBe('out\n');
    await expect(service.submit(ALICE, 'box', sh('id'))).rejects.toMatchObject({ code: 'session_not_found' });
    const again = await service.create(ALICE, { id: 'box' });
    expect(again.generation).not.toBe(generation);
    expect(await exec('box', 'cat /tmp/once 2>/dev/null; echo new')).toMatchObject({ seq: 1 });
    await service.destroy(ALICE, 'box');
  });
});

describe('a session that can’t start', () => {
  it('says why, with ECS’s reasons, and leaves nothing', async () => {
    environment.hosts.local.control.faults.set([
      { kind: 'image-pull', times: 1, reason: 'CannotPullContainerError: no' },
    ]);
    await expect(service.create(ALICE, { id: 'never' })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('CannotPullContainerError: no'),
    });
    expect(await service.get(ALICE, 'never')).toMatchObject({ status: 'destroyed', endReason: 'failed' });
    expect((await service.diagnostics(ALICE, 'never')).problem).toContain('CannotPullContainerError: no');
    await eventually(async () => expect(await environment.hosts.running()).toEqual([]));
  });
});
