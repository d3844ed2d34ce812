import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import fc from 'fast-check';
import { knock, logIn, run } from '../../lib/ssh';
import { identificationIn, NotSshError } from '../../lib/ssh/identification';
import { until } from '../support/run/eventually';
import { describeWith, program } from '../support/run/requirements';
import { startSshd } from '../support/host/sshd';
import { freePort } from '../support/run/free-port';

const open: Server[] = [];

/** A server whose n-th connection (from 0) is treated by `onConnection`. */
async function serve(
  onConnection: (socket: Socket, count: number) => void,
  port = 0,
): Promise<{ port: number; connections: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket, count++);
  }).listen(port, '127.0.0.1');
  open.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, connections: () => count };
}

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

describe('knock', () => {
  test('keeps knocking while it is refused, and connects once something is listening', async () => {
    const port = await freePort();
    const greeting = knock('127.0.0.1', port);
    setTimeout(() => void serve((socket) => socket.write('SSH-2.0-late\r\n'), port), 150);
    const { identification, stream } = await greeting;
    expect(identification).toBe('SSH-2.0-late');
    stream.destroy();
  });

  test('takes a proxy that accepts and closes for "not yet"', async () => {
    const { port, connections } = await serve((socket, count) => {
      if (count < 3) socket.end();
      else if (count < 5) socket.resetAndDestroy();
      else socket.write('SSH-2.0-behind-proxy\r\n');
    });
    const { identification, stream } = await knock('127.0.0.1', port);
    expect(identification).toBe('SSH-2.0-behind-proxy');
    expect(connections()).toBe(6);
    stream.destroy();
  });

  test('gets past a connection that is accepted and never answered', async () => {
    const { port } = await serve((socket, count) => {
      if (count > 0) socket.write('SSH-2.0-second\r\n');
    });
    const { identification, stream } = await knock('127.0.0.1', port);
    expect(identification).toBe('SSH-2.0-second');
    stream.destroy();
  });

  test('closes every connection but the one it returns', async () => {
    const sockets = new Set<Socket>();
    const { port } = await serve((socket, count) => {
      sockets.add(socket.on('close', () => sockets.delete(socket)));
      if (count === 3) socket.write('SSH-2.0-third\r\n');
    });
    const { stream } = await knock('127.0.0.1', port);
    await until(() => Promise.resolve(sockets.size <= 1));
    stream.destroy();
  });

  test('an abort ends it at once and leaves no connection', async () => {
    const sockets = new Set<Socket>();
    const { port } = await serve((socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
    const controller = new AbortController();
    const greeting = knock('127.0.0.1', port, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(greeting).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
    await until(() => Promise.resolve(sockets.size === 0));
    await expect(knock('127.0.0.1', port, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('gives up after its time and says what it met last', async () => {
    const port = await freePort();
    await expect(knock('127.0.0.1', port, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'unreachable',
      details: { port, lastProblem: 'connection refused' },
    });
  });
});

describeWith(program('sshd'), 'knock and log in', () => {
  test('share one connection: sshd sees no second one', async () => {
    const sshd = await startSshd({ config: ['MaxStartups 1'] });
    const { port, connections } = await serve((socket) => {
      const upstream = socket.pipe(new (socket.constructor as new () => Socket)().connect(sshd.port, '127.0.0.1'));
      upstream.on('error', () => socket.destroy()).pipe(socket);
    });
    try {
      const greeting = await knock('127.0.0.1', port);
      const channel = await logIn(greeting, {
        user: sshd.user,
        privateKey: sshd.clientKey.privateKey,
        hostKey: { type: 'proof', nonce: sshd.nonce },
      });
      await expect(run(channel, 'echo $SSH_CONNECTION')).resolves.toMatchObject({ exitCode: 0 });
      channel.close();
      expect(connections()).toBe(1);
    } finally {
      await sshd.stop();
    }
  });
});

describe('identificationIn', () => {
  const line = fc
    .string({ unit: fc.constantFrom(...'abc SH-2.0'), maxLength: 40 })
    .filter((text) => !text.startsWith('SSH-'));

  test('finds the line after any lines before it, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), fc.nat(), (before, end, cut) => {
        const identification = 'SSH-2.0-OpenSSH_9.2p1 comment';
        const text = [...before, identification].map((each) => each + end).join('');
        expect(identificationIn(Buffer.from(text + 'binary\n'))).toBe(identification);
        expect(identificationIn(Buffer.from(text.slice(0, cut % text.length)))).toBeUndefined();
      }),
    );
  });

  test.each(['SSH-1.5-old\r\n', 'SSH-3.0-new\n'])('%j is no SSH 2', (text) => {
    expect(() => identificationIn(Buffer.from(text))).toThrow('not SSH 2');
  });

  test.each([
    ['control characters', 'SSH-2.0-x\u001b]52;c;cm0=\u0007\n'],
    ['bytes beyond ASCII', 'SSH-2.0-\u009b31m\n'],
    ['more than 255 bytes', `SSH-2.0-${'x'.repeat(246)}\r\n`],
  ])('an identification with %s is refused, and the refusal is safe to print', (_, text) => {
    const read = (): unknown => identificationIn(Buffer.from(text, 'latin1'));
    expect(read).toThrow(NotSshError);
    expect(read).toThrow(/^[ -~]+$/);
  });

  test('an identification of 255 bytes with its line end is taken', () => {
    const identification = `SSH-2.0-${'x'.repeat(245)}`;
    expect(identificationIn(Buffer.from(`${identification}\r\n`))).toBe(identification);
  });

  test('a server that talks without end is no SSH server', () => {
    expect(() => identificationIn(Buffer.alloc(70_000, 'x'))).toThrow('without identifying itself');
  });
});
