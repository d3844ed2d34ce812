import { generateKeyPairSync } from 'node:crypto';
import { Server } from 'ssh2';
import type { TaskAddress } from '../runtimes/runtime';

/**
 * An SSH server with a key of its own that lets anybody log in, which a client must not mistake for its host. Clients
 * that send a key or a password to it have been fooled.
 */
export class Intruder {
  private constructor(private readonly server: Server) {}

  static async listen({ ip, port }: TaskAddress): Promise<Intruder> {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const server = new Server({ hostKeys: [privateKey], ident: 'OpenSSH_9.2p1' }, (client) => {
      client.on('authentication', (context) => context.accept());
      client.on('error', () => client.end());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, ip, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    return new Intruder(server);
  }

  /** Stops listening; existing connections stay open until they end. */
  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
