import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Task } from '@aws-sdk/client-ecs';
import { CliHome } from '../support/cli/cli-program';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { until } from '../support/run/eventually';
import { listening } from '../support/network/listening';
import type { Listening } from '../support/network/listening';
import { describeWith } from '../support/run/requirements';

interface Bound {
  readonly forwards: readonly { readonly bind: string; readonly port: number; readonly remotePort: number | null }[];
}

describeWith(processTasks, 'forward', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let task: Task;
  let server: Listening;
  let sixth: Listening;
  let port: number;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    task = await local.runTask();
    server = await listening((socket) => socket.pipe(socket));
    port = Number(server.port);
    sixth = await listening((socket) => socket.pipe(socket), '::1');
  });
  afterAll(async () => {
    server.server.close();
    sixth.server.close();
    bare.remove();
    await local.destroy();
  });

  const words = (...rest: string[]): string[] => ['--json', 'forward', '--task', task.taskArn ?? '', ...rest];

  /** Runs the program, and `work` with what it has bound; then ends it as Ctrl-C does. */
  async function forwarded(options: readonly string[], work: (bound: Bound) => Promise<void>): Promise<void> {
    let line = '';
    const run = await home.run(words(...options), {
      onStart: async ({ kill, onStdout, stdout }) => {
        await onStdout(/\n/);
        line = stdout();
        await work(JSON.parse(line) as Bound).finally(() => kill('SIGINT'));
      },
    });
    expect(run).toMatchObject({ exitCode: 130, stdout: line });
  }

  it('carries several connections at once through several ports', async () => {
    const spec = `0:${port}`;
    await forwarded(['-L', spec, '-L', `127.0.0.1:0:127.0.0.1:${port}`], async ({ forwards }) => {
      expect(forwards).toMatchObject([
        { bind: '127.0.0.1', host: null, remotePort: port },
        { bind: '127.0.0.1', host: '127.0.0.1', remotePort: port },
      ]);
      const answers = forwards.flatMap((bound) => ['one', 'two'].map((word) => echoOf(bound.port, word)));
      expect(await Promise.all(answers)).toEqual(['one', 'two', 'one', 'two']);
    });
  });

  it('listens on IPv6, and reaches a host by its IPv6 address', async () => {
    const specs = ['-L', `[::1]:0:${port}`, '-L', `[::1]:0:[::1]:${sixth.port}`];
    await forwarded(specs, async ({ forwards }) => {
      expect(forwards).toMatchObject([
        { bind: '::1', host: null },
        { bind: '::1', host: '::1' },
      ]);
      for (const bound of forwards) expect(await echoOf(bound.port, 'hello', '::1')).toBe('hello');
    });
  });

  it('passes on the end of either side after the last byte', async () => {
    const heard: string[] = [];
    const asked = await listening((socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => void heard.push(text));
      socket.on('end', () => void heard.push('END'));
    });
    const large = 'x'.repeat(200_000);
    const answering = await listening((socket) => socket.end(large));
    await forwarded(['-L', `0:${asked.port}`, '-L', `0:${answering.port}`], async ({ forwards }) => {
      const asking = connect(forwards[0]?.port ?? 0, '127.0.0.1')
        .end(large)
        .resume();
      await until(() => Promise.resolve(heard.at(-1) === 'END'));
      expect(heard.join('').length).toBe(large.length + 'END'.length);
      asking.destroy();
      const answer = connect(forwards[1]?.port ?? 0, '127.0.0.1');
      let length = 0;
      for await (const piece of answer) length += (piece as Buffer).length;
      expect(length).toBe(large.length);
    });
    for (const { server } of [asked, answering]) server.close();
  });

  it('is a SOCKS5 proxy', async () => {
    await forwarded(['-D', '0'], async ({ forwards }) => {
      const socket = connect(forwards[0]?.port ?? 0, '127.0.0.1');
      socket.write(Buffer.from([5, 1, 0]));
      expect(await bytes(socket, 2)).toEqual(Buffer.from([5, 0]));
      const wanted = [port >> 8, port & 0xff];
      socket.write(Buffer.from([5, 1, 0, 3, 9, ...Buffer.from('localhost'), ...wanted]));
      expect((await bytes(socket, 10))[1]).toBe(0);
      socket.write('hello');
      expect((await bytes(socket, 5)).toString()).toBe('hello');
      socket.destroy();
    });
  });

  it('refuses what it does not understand', async () => {
    for (const options of [[], ['-L', '80'], ['-L', '1:2:3:4:5'], ['-L', 'a:0:70000'], ['-D', 'x']]) {
      expect((await home.run(words(...options))).exitCode).toBe(2);
    }
  });
});

async function echoOf(port: number, word: string, address = '127.0.0.1'): Promise<string> {
  const socket = connect(port, address);
  socket.write(word);
  const answer = await bytes(socket, word.length);
  socket.destroy();
  return answer.toString();
}

/** Exactly so many bytes. */
async function bytes(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const found = socket.read(length) as Buffer | null;
    if (found !== null) return found;
    await once(socket, 'readable');
  }
}
