import { SANDBOX_TAGS } from '../../../lib/sandbox/core/session-hosts';
import { ALICE, startSandboxEnvironment } from '../../support/sandbox/sandbox-environment';
import type { OpenService, SandboxEnvironment } from '../../support/sandbox/sandbox-environment';
import { eventually } from '../../support/run/eventually';

let environment: SandboxEnvironment;
let open: OpenService;
beforeAll(async () => {
  environment = await startSandboxEnvironment();
  open = await environment.open();
});
afterAll(() => environment.close());

const command = (text: string) =>
  ({ kind: 'exec_submit', payload: { cmd: text }, command: text, shell: 'main', stdin: 'open' }) as const;
const running = () => environment.hosts.running();

it('makes a session stale past its time to live, then destroys it with its host', async () => {
  const { service, pass } = open;
  await service.create(ALICE, { id: 'short', ttlSeconds: 5 });
  await service.sweeper.expire();
  expect(await service.get(ALICE, 'short')).toMatchObject({ status: 'active' });
  pass(5_001);
  await service.sweeper.expire();
  expect(await service.get(ALICE, 'short')).toMatchObject({ status: 'stale' });
  await expect(service.submit(ALICE, 'short', command('id'))).rejects.toMatchObject({ code: 'session_not_found' });
  await service.sweeper.expire();
  expect(await running()).toHaveLength(1);
  pass(30_000);
  await service.sweeper.expire();
  await eventually(async () => {
    expect(await service.get(ALICE, 'short')).toMatchObject({ status: 'destroyed', endReason: 'expired' });
    expect(await running()).toEqual([]);
  });
});

it('renews the time to live by use, and while a command runs, but not past the maximum age', async () => {
  const { service, pass } = open;
  await service.create(ALICE, { id: 'busy', ttlSeconds: 5 });
  pass(4_000);
  const { seq } = await service.submit(ALICE, 'busy', command('echo on; read line'));
  for await (const piece of service.output(ALICE, 'busy', seq)) if (piece.type === 'stdout') break;
  pass(4_000);
  await service.sweeper.renew();
  pass(60_000);
  await service.sweeper.expire();
  expect(await service.get(ALICE, 'busy')).toMatchObject({ status: 'active' });
  await service.sweeper.renew();
  const { expiresAt, lastActiveAt } = await service.get(ALICE, 'busy');
  expect(expiresAt - lastActiveAt).toBe(5_000);
  pass(24 * 3_600_000);
  await service.sweeper.expire();
  await eventually(async () => {
    expect(await service.get(ALICE, 'busy')).toMatchObject({ status: 'destroyed', endReason: 'max-age' });
    expect(await running()).toEqual([]);
  });
  expect(await service.event(ALICE, 'busy', seq)).toMatchObject({ status: 'error', result: { reason: 'lost' } });
});

it('keeps a session without use for as long as its owner calls it busy', async () => {
  const { service, pass } = open;
  await service.create(ALICE, { id: 'working', ttlSeconds: 5 });
  const { busyUntil, expiresAt } = await service.change(ALICE, 'working', { busySeconds: 3600 });
  expect(expiresAt).toBe(busyUntil);
  pass(3_590_000);
  await service.sweeper.expire();
  expect(await service.get(ALICE, 'working')).toMatchObject({ status: 'active' });
  await service.change(ALICE, 'working', { busySeconds: 0 });
  pass(5_001);
  await service.sweeper.expire();
  expect(await service.get(ALICE, 'working')).toMatchObject({ status: 'stale', busyUntil: null });
  await service.destroy(ALICE, 'working');
  await eventually(async () => expect(await running()).toEqual([]));
});

it('ends a session whose task somebody else has stopped, and says so in its events', async () => {
  const { service, pass } = open;
  const { generation } = await service.create(ALICE, { id: 'stopped' });
  const { seq } = await service.submit(ALICE, 'stopped', command('echo on; read line'));
  for await (const piece of service.output(ALICE, 'stopped', seq)) if (piece.type === 'stdout') break;
  const launcher = environment.launcher();
  await launcher.destroy(
    (await launcher.list()).find(({ tags }) => tags[SANDBOX_TAGS.generation] === generation)?.taskArn ?? '',
  );
  await eventually(async () => expect(await running()).toEqual([]));
  pass(60_000);
  await eventually(async () => {
    await service.sweeper.sweep();
    expect(await service.get(ALICE, 'stopped')).toMatchObject({ status: 'destroyed', endReason: 'host-stopped' });
  });
  expect(await service.event(ALICE, 'stopped', seq)).toMatchObject({ status: 'error', result: { reason: 'lost' } });
});

it('stops tasks of its own that have no session, and nobody else’s', async () => {
  const { service, store } = open;
  const launcher = environment.launcher();
  const host = (name: string, serviceId: string) =>
    launcher.create({
      name,
      owner: 'sandbox',
      tags: { [SANDBOX_TAGS.service]: serviceId, [SANDBOX_TAGS.generation]: `of-${name}` },
    });
  await service.create(ALICE, { id: 'kept' });
  await Promise.all([host('orphan', store.serviceId), host('other', 'another-service')]);
  const named = await launcher.create({ name: 'named' });
  expect(named.owner).toBe('launcher');
  await service.sweeper.sweep();
  const names = (await launcher.list()).map(({ name }) => name);
  expect(names).toHaveLength(3);
  expect(names).toEqual(expect.arrayContaining(['other', 'named']));
  expect(await service.get(ALICE, 'kept')).toMatchObject({ status: 'active' });
  await service.destroy(ALICE, 'kept');
  for (const name of ['other', 'named']) await launcher.destroy(name);
});

it('prunes events after their retention, and lets engines forget output that the store has', async () => {
  const { service, store, pass } = open;
  const { generation } = await service.create(ALICE, { id: 'old' });
  const { seq } = await service.submit(ALICE, 'old', command('echo kept'));
  await service.event(ALICE, 'old', seq, { waitMs: 60_000 });
  expect(await store.keptByEngine(generation)).toHaveLength(1);
  pass(61_000);
  await service.sweeper.forget();
  expect(await store.keptByEngine(generation)).toEqual([]);
  await service.use(ALICE, 'old', async (engine) => expect(await engine.commands()).toEqual([]));
  let output = '';
  for await (const piece of service.output(ALICE, 'old', seq))
    if (piece.type === 'stdout') output += piece.bytes.toString();
  expect(output).toBe('kept\n');
  await service.destroy(ALICE, 'old');
  await service.sweeper.prune();
  expect((await service.history(ALICE, 'old', { limit: 10, afterSeq: 0 })).events).toHaveLength(1);
  pass(7 * 24 * 3_600_000 + 1);
  await service.sweeper.prune();
  await expect(service.history(ALICE, 'old', { limit: 10, afterSeq: 0 })).rejects.toMatchObject({
    code: 'session_not_found',
  });
});
