import { spawnSync } from 'node:child_process';
import type { Requirement } from '../run/requirements';

/** An overlay of the machine's file system that writes to memory, in a mount namespace: $1 is where it may be mounted. */
const OVERLAY = `mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root" &&
  mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root" && mount -t proc proc "$1/root/proc"`;

/** Hosts as processes with a view of their own of the file system, as mngr wants it: it knows a host's folder as /mngr. */
export const separateFileSystems: Requirement = {
  missing: () => {
    const unshare = ['--mount', '--pid', '--uts', '--ipc', '--fork', 'sh', '-c', OVERLAY, 'sh', '/mnt'];
    const { status, stderr } = spawnSync('unshare', unshare, { encoding: 'utf8', timeout: 60_000 });
    return status === 0 ? undefined : `namespaces with overlays are not to be had here (${stderr?.trim()})`;
  },
};
