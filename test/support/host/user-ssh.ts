import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { knownHostsLine, openSshKey } from '../../../lib/ssh/known-hosts';
import type { KeyPair, UserSsh } from '../../../lib/ssh';
import type { TestSshd } from './sshd';

/** The ~/.ssh of a user of a test's own. */
export class TestUserSsh implements UserSsh {
  constructor(readonly home: string = mkdtempSync(join(tmpdir(), 'mngr-user-'))) {
    mkdirSync(this.path(), { recursive: true, mode: 0o700 });
  }

  /** No agent but one that is named. */
  readonly agentSocket: string = '';

  path(...names: string[]): string {
    return join(this.home, '.ssh', ...names);
  }

  /** The line of known_hosts for a server, by its address unless a name is given. */
  static line({ host, port, hostKeyBlob }: TestSshd, name: string = host): string {
    return `${knownHostsLine(name, port, openSshKey(hostKeyBlob))}\n`;
  }

  knows(...lines: string[]): this {
    writeFileSync(this.path('known_hosts'), lines.join(''));
    return this;
  }

  has(key: KeyPair, file = 'id_ed25519'): this {
    writeFileSync(this.path(file), key.privateKey, { mode: 0o600 });
    writeFileSync(this.path(`${file}.pub`), `${key.publicKey}\n`);
    return this;
  }

  configures(text: string): this {
    appendFileSync(this.path('config'), text, { mode: 0o600 });
    return this;
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

export interface TestAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

/** An ssh-agent with these keys. */
export async function startAgent(...keys: readonly KeyPair[]): Promise<TestAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-agent-'));
  const socket = join(folder, 'socket');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => agent.stdout.once('data', resolve).once('error', reject));
  for (const { privateKey } of keys)
    execFileSync('ssh-add', ['-q', '-'], { input: privateKey, env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return {
    socket,
    stop: async () => {
      const ended = new Promise((resolve) => agent.once('exit', resolve));
      agent.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
