import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { findEngine } from '../lib/local/runtimes';

/** Lists what a host or an endpoint has left on this machine; empty if nothing is left. */
export async function leftovers(options: {
  /** Folder that holds all state of the endpoint and the launcher. */
  readonly folder: string;
  readonly taskId: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Folder of the host's keys. */
  readonly keys: string;
}): Promise<string[]> {
  const { folder, taskId, address, keys } = options;
  return [
    ...processesMentioning(folder).map((pid) => `process ${pid}`),
    ...(await containersOf(taskId)).map((name) => `container ${name}`),
    ...((await answers(address)) ? [`a server at ${address.host}:${address.port}`] : []),
    ...(existsSync(keys) ? [`keys in ${keys}`] : []),
  ];
}

/** Searches command lines and environments of processes; only Linux has both in /proc. */
function processesMentioning(folder: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => `${read(`/proc/${pid}/cmdline`)}${read(`/proc/${pid}/environ`)}`.includes(folder));
}

async function containersOf(taskId: string): Promise<string[]> {
  const engine = await findEngine();
  if (engine === undefined) return [];
  const containers = await engine.docker.listContainers({ all: true });
  return containers.flatMap(({ Names }) => Names).filter((name) => name.includes(taskId));
}

function answers({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
