import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  FileNotFoundError,
  Sandbox,
  SandboxClient,
  SessionNotFoundError,
  UnauthorizedError,
} from '../../../lib/sandbox/client';
import type { OutputChunk } from '../../../lib/sandbox/client';
import { localHosts, START_UP } from '../../support/cli/cli-local';
import { describeWith } from '../../support/run/requirements';
import { SandboxServiceProcess } from '../../support/sandbox/sandbox-service';

describeWith(localHosts, 'the client with the real service', () => {
  let service: SandboxServiceProcess;
  let place: { readonly url: string; readonly key: string; readonly WebSocket: typeof WebSocket };
  let box: Sandbox;

  beforeAll(async () => {
    service = await SandboxServiceProcess.start();
    place = { url: service.served.url, key: service.served.key, WebSocket };
    box = await Sandbox.create({ ...place, id: 'box', metadata: { team: 'red' } });
  }, START_UP);
  afterAll(() => service?.stop(), START_UP);

  test('a sandbox is found by its id and its metadata, changed, and destroyed at the end of its block', async () => {
    const client = new SandboxClient(place);
    expect((await client.connect('box')).info).toMatchObject({
      id: 'box',
      status: 'active',
      metadata: { team: 'red' },
    });
    const found = [];
    for await (const { id } of client.list({ metadata: { team: 'red' } })) found.push(id);
    expect(found).toEqual(['box']);
    await expect(box.change({ ttlSeconds: 4000 })).resolves.toMatchObject({ ttlSeconds: 4000 });
    await expect(box.cost()).resolves.toMatchObject({ usd: expect.any(Number) as number });
    {
      await using short = await client.create({ id: 'short' });
      expect(short.id).toBe('short');
    }
    expect((await client.connect('short')).info.status).toBe('destroyed');
    await expect(client.connect('never')).rejects.toBeInstanceOf(SessionNotFoundError);
    await expect(Sandbox.connect('box', { ...place, key: 'wrong' })).rejects.toBeInstanceOf(UnauthorizedError);
  });

  test('output comes as it is written, and the state of the shell stays', async () => {
    await box.exec('cd /tmp; export NAME=value');
    const chunks: OutputChunk[] = [];
    for await (const chunk of box.exec('pwd; echo "$NAME" >&2; exit_code() { return 3; }; exit_code').output)
      chunks.push(chunk);
    const of = (stream: string): string => chunks.filter((chunk) => chunk.stream === stream).join('');
    expect([of('stdout'), of('stderr')]).toEqual(['/tmp\n', 'value\n']);
    await expect(box.exec('exit_code').result).resolves.toMatchObject({ exitCode: 3, timedOut: false });
  });

  test('input, signals and times', async () => {
    const cat = box.exec(['cat'], { stdin: 'open' });
    const input = randomBytes(300_000);
    await cat.write(input.subarray(0, 1000));
    await cat.end(input.subarray(1000));
    expect(Buffer.from((await cat).stdoutRaw).equals(input)).toBe(true);

    const sleep = box.exec(['sleep', '1000']);
    await sleep.kill('TERM');
    await expect(sleep.result).resolves.toMatchObject({ exitCode: null, signal: 'TERM' });
    await expect(box.exec(['sleep', '1000'], { timeoutSeconds: 1 })).resolves.toMatchObject({ timedOut: true });
  });

  test(
    'a stream goes on over a restart of the service: every line once',
    async () => {
      const command = box.exec(['sh', '-c', 'seq 1 1000; read line; seq 1001 2000'], { stdin: 'open' });
      let text = '';
      let restarted = false;
      for await (const chunk of command.output) {
        text += chunk.text;
        if (!restarted && text.endsWith('\n1000\n')) {
          restarted = true;
          await service.restart();
          await command.end('go on\n');
        }
      }
      expect(text).toBe(Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join(''));
      await expect(command.result).resolves.toMatchObject({ exitCode: 0 });
    },
    START_UP,
  );

  test('files of every kind', async () => {
    const bytes = randomBytes(5 * 1024 * 1024);
    await box.files.write('deep/er/file.bin', bytes, { mode: '0755' });
    expect(Buffer.from(await box.files.read('deep/er/file.bin')).equals(bytes)).toBe(true);
    await expect(box.files.stat('deep/er/file.bin')).resolves.toMatchObject({ size: bytes.length, type: 'file' });
    await box.files.write('deep/text', 'needle ü\n');
    await box.files.move('deep/text', 'deep/moved');
    await expect(box.files.readText('deep/moved')).resolves.toBe('needle ü\n');
    expect((await box.files.list('deep')).map(({ name }) => name).sort()).toEqual(['er', 'moved']);
    await expect(box.files.search({ content: 'needle' })).resolves.toMatchObject({ matches: [{ line: 1 }] });
    await box.files.remove('deep', { recursive: true });
    await expect(box.files.read('deep/moved')).rejects.toBeInstanceOf(FileNotFoundError);
  });

  test('git', async () => {
    await box.exec(['git', 'init', '-q', 'repo'], { cwd: '/workspace' });
    await box.files.write('repo/a', 'x');
    await expect(box.git.commit({ path: 'repo', message: "it's in" })).resolves.toMatchObject({ exitCode: 0 });
    expect((await box.git.log({ path: 'repo' })).stdout).toContain("it's in");
  });

  test('a terminal, with its size, and its end', async () => {
    const terminal = box.terminal({
      cols: 100,
      rows: 30,
      command: 'stty size; read line; until stty size | grep 40.120; do sleep 0.1; done; exit 7',
    });
    let screen = '';
    for await (const bytes of terminal.output) {
      screen += Buffer.from(bytes).toString();
      if (screen.includes('30 100') && !screen.includes('40 120')) {
        terminal.resize({ cols: 120, rows: 40 });
        terminal.write('\r');
      }
    }
    await expect(terminal.exit).resolves.toMatchObject({ exitCode: 7 });
    expect(screen).toMatch(/30 100[\s\S]*40 120/);
  });

  test('what has run is listed, in order', async () => {
    const seqs = [];
    for await (const { seq } of box.events()) seqs.push(seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    expect(seqs.length).toBeGreaterThan(5);
  });
});
