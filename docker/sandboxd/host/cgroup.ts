import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where cgroup v2 is mounted: alone, or beside version 1. */
const ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
const PREFIX = 'sandboxd-';

function root(): string | undefined {
  return ROOTS.find((path) => existsSync(join(path, 'cgroup.procs')));
}

function pathOf(pid: number | 'self'): string | undefined {
  const path = /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];
  const base = root();
  return path === undefined || base === undefined ? undefined : join(base, path);
}

/**
 * A group of processes that nothing in it can leave without root's rights, whatever it does to its session, its parents and
 * its environment. Only where the kernel has cgroup v2 and lets us write: a Fargate task has it read only.
 */
export class Cgroup {
  private constructor(private readonly path: string) {}

  /** A new group with this process in it, and what it starts from now on. undefined where that isn't possible. */
  static around(pid: number, name: string): Cgroup | undefined {
    try {
      const own = pathOf('self');
      if (own === undefined) return undefined;
      const path = join(own, `${PREFIX}${name}`);
      mkdirSync(path);
      writeFileSync(join(path, 'cgroup.procs'), String(pid));
      return existsSync(join(path, 'cgroup.kill')) ? new Cgroup(path) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The group that an earlier engine made around this process. */
  static of(pid: number, name: string): Cgroup | undefined {
    try {
      const path = pathOf(pid);
      return path?.endsWith(`/${PREFIX}${name}`) === true ? new Cgroup(path) : undefined;
    } catch {
      return undefined;
    }
  }

  kill(): void {
    try {
      writeFileSync(join(this.path, 'cgroup.kill'), '1');
    } catch {
      // It is gone.
    }
    this.remove();
  }

  /** Once it is empty. What is still in it keeps it. */
  remove(): void {
    const retry = (left: number): void => {
      try {
        rmdirSync(this.path);
      } catch (error) {
        if (left > 0 && (error as NodeJS.ErrnoException).code === 'EBUSY')
          setTimeout(() => retry(left - 1), 100).unref();
      }
    };
    retry(5);
  }
}
