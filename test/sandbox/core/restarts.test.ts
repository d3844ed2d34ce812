import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/run/eventually';
import { ROOT } from '../../support/run/paths';
import { startSandboxEnvironment } from '../../support/sandbox/sandbox-environment';
import type { SandboxEnvironment } from '../../support/sandbox/sandbox-environment';
import type { ServiceProcessSettings } from '../../support/sandbox/service-process';

let environment: SandboxEnvironment;
const children: ChildProcess[] = [];
beforeAll(async () => {
  environment = await startSandboxEnvironment();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await environment.close();
});

interface Service {
  /** Undefined where the service died before it had answered. */
  call<T = Answer>(path: string, body?: object): Promise<T | undefined>;
  readonly ended: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}
interface Answer {
  readonly seq: number;
  readonly id: string;
  readonly status: string;
  readonly ready: boolean;
  readonly result: { readonly stdout: string; readonly reason: string } | null;
}

async function start(death: Pick<ServiceProcessSettings, 'dieBefore' | 'after'> = {}): Promise<Service | undefined> {
  const { config, dataDirectory, hosts } = environment;
  const { endpoint, credentials } = hosts.local;
  const settings: ServiceProcessSettings = { config, endpoint, credentials, dataDirectory, ...death };
  const program = join(ROOT, 'test/support/sandbox/service-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(settings)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_, signal) => resolve(signal)));
  const line = new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  const first = await Promise.race([line, ended]);
  if (first === null || !first.startsWith('{')) return undefined;
  const { url, key } = JSON.parse(first) as { url: string; key: string };
  return {
    ended,
    call: async <T>(path: string, body?: object) => {
      const headers = { 'x-sandbox-secret': key, 'content-type': 'application/json' };
      try {
        const answer = await fetch(url + path, {
          headers,
          ...(body && { method: 'POST', body: JSON.stringify(body) }),
        });
        return (await answer.json()) as T;
      } catch {
        return undefined;
      }
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const started = async (): Promise<Service> => {
  const service = await start();
  if (service === undefined) throw new Error('the service ended before it answered');
  return service;
};

/** Waits for the end of an event. */
async function ended(service: Service, id: string, seq: number): Promise<Answer> {
  for (;;) {
    const event = await service.call(`/sandbox/${id}/events/${seq}?wait=30`);
    if (event?.status === 'done' || event?.status === 'error') return event;
    if (event === undefined || event.status === undefined) throw new Error(`no event: ${JSON.stringify(event)}`);
  }
}

it('goes on after SIGKILL: each command runs once, its output is whole, and nothing secret is in a file', async () => {
  const first = await started();
  expect(await first.call('/sandbox', { id: 'box' })).toMatchObject({ id: 'box', ready: true });
  await first.stop();

  const deaths = [
    { dieBefore: 'INSERT INTO events' },
    { dieBefore: "SET status = 'running'" },
    { dieBefore: 'SET status = @status, result' },
    { dieBefore: 'INSERT INTO outputs' },
  ];
  for (const [index, death] of deaths.entries()) {
    const cmd = `echo run >> /tmp/runs-${index}; for i in 1 2 3; do echo $i $WORD; sleep 0.2; done`;
    const dying = await start(death);
    const answer = await dying?.call('/sandbox/box/exec', { cmd, env: { WORD: `secret-${index}-word` } });
    expect(await dying?.ended).toBe('SIGKILL');

    const files = readdirSync(environment.dataDirectory, { recursive: true, encoding: 'utf8' })
      .map((name) => join(environment.dataDirectory, name))
      .filter((name) => statSync(name).isFile());
    for (const file of files) expect(readFileSync(file, 'latin1')).not.toContain(`secret-${index}-word`);

    const next = await started();
    const history = await next.call<{ events: Answer[] }>('/sandbox/box/history?limit=1000');
    const last = history?.events.at(-1);
    // What was answered is there; what wasn't may be, or not.
    if (answer !== undefined) expect(last?.seq).toBe(answer.seq);
    const counted = `wc -l < /tmp/runs-${index} 2>/dev/null || echo 0`;
    if (death.dieBefore === 'INSERT INTO events') {
      const count = await next.call('/sandbox/box/exec', { cmd: counted, sync: true });
      expect(count?.result?.stdout).toBe('0\n');
    } else {
      const word = `secret-${index}-word`;
      const event = await ended(next, 'box', last?.seq ?? 0);
      expect(event).toMatchObject({ status: 'done', result: { stdout: `1 ${word}\n2 ${word}\n3 ${word}\n` } });
      const count = await next.call('/sandbox/box/exec', { cmd: counted, sync: true });
      expect(count?.result?.stdout).toBe('1\n');
    }
    await next.stop();
  }
  await eventually(async () => expect(await environment.hosts.running()).toHaveLength(1));
});

it('goes on with a create that was cut off anywhere: one task, and it is the session’s', async () => {
  const deaths = [
    { dieBefore: 'INSERT INTO sessions' },
    { dieBefore: 'UPDATE sessions SET ready' },
    { dieBefore: 'UPDATE sessions SET ready', after: 2 },
  ];
  for (const [index, death] of deaths.entries()) {
    const id = `cut-${index}`;
    const dying = await start(death);
    await dying?.call('/sandbox', { id });
    expect(await dying?.ended).toBe('SIGKILL');
    const next = await started();
    const known = await next.call<{ sessions: Answer[] }>('/sandbox');
    const isKnown = known?.sessions.some((session) => session.id === id) ?? false;
    expect(isKnown).toBe(index > 0);
    if (isKnown) {
      const event = await next.call(`/sandbox/${id}/exec`, { cmd: 'echo here', sync: true });
      expect(event).toMatchObject({ result: { stdout: 'here\n' } });
    }
    await next.stop();
    // The first test's, and one for each that was stored.
    await eventually(async () => expect(await environment.hosts.running()).toHaveLength(1 + index));
  }
});
