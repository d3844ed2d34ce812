import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { monotonic } from '../../bench/support/monotonic';
import { ObservedSockets } from '../../bench/support/observed-sockets';

describe('what a bench sees of the sockets of its own process', () => {
  const server = createServer((socket) => socket.on('error', () => undefined).write('hello'));
  const sockets = new ObservedSockets();
  beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
  afterAll(() => {
    sockets.close();
    server.close();
  });

  test('an exchange is a part of the time in which it happened', async () => {
    const before = monotonic();
    const socket = createConnection({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    await once(socket, 'data');
    const seen = sockets.at('127.0.0.1');
    const elapsedMs = monotonic() - before;
    socket.destroy();
    expect(seen.connectedAtMs).toBeGreaterThanOrEqual(before);
    expect(seen.exchangeMs).toBeGreaterThanOrEqual(0);
    expect(seen.connectedAtMs - before + seen.exchangeMs).toBeLessThanOrEqual(elapsedMs);
  });

  test('an address that nothing was heard from has no exchange', () => {
    expect(() => sockets.at('127.0.0.2')).toThrow('has received anything');
  });
});
