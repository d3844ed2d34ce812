import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ProcessRuntime } from '../../../lib/local/runtimes/process';
import type { Requirement } from '../../support/requirements';
import { describeWith, program } from '../../support/requirements';
import { itKeepsTheRuntimeContract } from '../../support/runtime-contract';

const needs = ['sshd', 'ssh-keygen', 'openssl'].map(program);

/** The right to make namespaces and to mount in them, which containers mostly lack. */
const namespaces: Requirement = {
  missing: () => {
    const { status } = spawnSync('unshare', ['--pid', '--fork', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
    return status === 0 ? undefined : 'namespaces with mounts are not permitted here';
  },
};

/** Processes that have the folder in their environment, arguments, working directory or mounts. */
function processesAt(folder: string): string[] {
  const text = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.filter((pid) =>
    [
      () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      () => readFileSync(`/proc/${pid}/environ`, 'utf8'),
      () => readFileSync(`/proc/${pid}/mounts`, 'utf8'),
      () => readlinkSync(`/proc/${pid}/cwd`),
    ].some((read) => text(read).includes(folder)),
  );
}

describeWith([...needs, namespaces], 'processes with namespaces', () => {
  itKeepsTheRuntimeContract({
    create: (stateDirectory, endpointId) => ProcessRuntime.create({ stateDirectory, endpointId }),
    leftovers: processesAt,
    ownRoot: true,
  });
});

describeWith(needs, 'processes below MNGR_ROOT', () => {
  itKeepsTheRuntimeContract({
    create: (stateDirectory, endpointId) => ProcessRuntime.create({ stateDirectory, endpointId, namespaces: 'off' }),
    leftovers: processesAt,
    ownRoot: false,
  });
});
