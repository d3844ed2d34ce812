import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** The least that a stateful shell can be: a bash over pipes, with the status of each command on a descriptor of its own. */
export class BareShell {
  private readonly child: ChildProcess = spawn('bash', ['--norc', '--noprofile', '-s'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  private readonly status = this.child.stdio[3] as Readable;
  private readonly out = this.child.stdout as Readable;

  /** Resolves when the status is there and as many bytes of output as are wanted; also with when the first of them was. */
  async run(command: string, bytes = 0): Promise<{ readonly firstByteAt: number }> {
    let got = 0;
    let firstByteAt = 0;
    const enough = new Promise<void>((resolve) => {
      if (bytes === 0) return resolve();
      const onData = (data: Buffer): void => {
        if (got === 0) firstByteAt = performance.now();
        got += data.length;
        if (got < bytes) return;
        this.out.off('data', onData);
        resolve();
      };
      this.out.on('data', onData);
    });
    const ended = once(this.status, 'data');
    (this.child.stdin as Writable).write(`{ ${command}; }; echo $? >&3\n`);
    await Promise.all([ended, enough]);
    return { firstByteAt };
  }

  async end(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
