import { runCommand } from '../command';
import type { Contender } from './contender';
import { timeSpawned } from './spawned';

const IMAGE = 'debian:bookworm-slim';

/** `docker exec` of `bash -c` in one container, a process of the client for each command. */
export async function dockerExec(): Promise<Contender | string> {
  const docker = (...args: string[]) => runCommand({ program: 'docker', args });
  const answers = await docker('version').catch(() => undefined);
  if (answers === undefined) return '`docker exec`: no container engine answers';
  const { stdout } = await docker('run', '--detach', '--rm', '--init', IMAGE, 'sleep', 'infinity');
  const container = stdout.trim();
  return {
    name: '`docker exec`',
    streams: true,
    run: (command) => timeSpawned(['docker', 'exec', container, 'bash', '-c', command]),
    end: async () => {
      await docker('rm', '--force', container);
    },
  };
}
