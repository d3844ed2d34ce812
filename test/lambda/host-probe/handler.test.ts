import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { handler } from '../../../lambda/host-probe';
import { describeWith, program } from '../../support/run/requirements';
import { startSshd } from '../../support/host/sshd';
import { freePort } from '../../support/run/free-port';

describeWith(program('sshd'), 'the host probe', () => {
  it('gives the key of an sshd that proves it, and logs in nowhere', async () => {
    const sshd = await startSshd();
    try {
      const { host, port, nonce } = sshd;
      expect(await handler({ host, port, nonce })).toEqual({
        outcome: 'proved',
        hostKey: `ssh-ed25519 ${sshd.hostKeyBlob.toString('base64')}`,
      });
    } finally {
      await sshd.stop();
    }
  });

  it.each([
    ['no proof', { versionAddendum: 'Debian-5' }, undefined, /shows no proof of its host key/],
    ['the proof of another nonce', {}, 'ab'.repeat(32), /a proof that does not fit its host key SHA256:/],
  ])('calls a server with %s a stranger', async (_, options, otherNonce, problem) => {
    const sshd = await startSshd(options);
    try {
      const { host, port, nonce } = sshd;
      expect(await handler({ host, port, nonce: otherNonce ?? nonce })).toEqual({
        outcome: 'stranger',
        problem: expect.stringMatching(problem),
      });
    } finally {
      await sshd.stop();
    }
  });

  it('calls a port on which nothing listens silent', async () => {
    const answer = await handler({ host: '127.0.0.1', port: await freePort(), nonce: 'ab'.repeat(32) });

    expect(answer).toEqual({ outcome: 'silent', problem: expect.stringContaining('no SSH server answered') });
  });

  it('calls a server silent if it proves its key and then stops answering', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write('SSH-2.0-OpenSSH_9.2 mngr-host-proof=AAAA\r\n');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const answer = await handler({ host: '127.0.0.1', port, nonce: 'ab'.repeat(32) });
      expect(answer).toEqual({ outcome: 'silent', problem: expect.stringContaining('no key exchange within') });
    } finally {
      server.close();
    }
  });
});
