import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Exec, ExecCreateOptions } from 'dockerode';
import { statusOf } from './container-images';
import { killWords, readPreamble, withPreamble } from './exec-preamble';
import { TaskNotRunningError } from './runtime';
import type { ExecRequest, TaskProcess } from './runtime';

/** Exit code of a process whose container no longer exists: that of SIGKILL. */
const LOST = 137;
/** The engine closes the streams a moment before it knows the exit code. */
const EXIT_POLL_MS = 10;
/** Bytes of a frame's header: stream, 0, 0, 0, length as big-endian 32 bits (Docker Engine API, ContainerAttach). */
const HEADER = 8;
const STDERR = 2;

/** Starts a process in a container. Throws TaskNotRunningError and CommandNotStartedError. */
export async function execInContainer(
  container: Container,
  taskId: string,
  request: ExecRequest,
): Promise<TaskProcess> {
  const { argv, environment = {}, terminal } = request;
  const tty = terminal !== undefined;
  const { exec, stream } = await begin(container, taskId, {
    Cmd: [...withPreamble('.', request)],
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: tty,
    User: '0',
  });
  stream.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  const outputs = tty ? { stdout: stream, stderr: undefined } : demultiplexed(stream);
  const { pid } = await readPreamble(outputs.stdout, argv[0] ?? '');
  return {
    stdin: stream,
    stdout: outputs.stdout,
    stderr: outputs.stderr,
    exitCode: closed.then(() => exitCodeOf(exec)),
    resize: async ({ rows, columns }) => {
      if (tty) await exec.resize({ h: rows, w: columns });
    },
    kill: async (signal) => {
      const killer = await container.exec({ Cmd: [...killWords(pid, signal)], User: '0' });
      await killer.start({ Detach: true });
    },
  };
}

async function begin(
  container: Container,
  taskId: string,
  options: ExecCreateOptions,
): Promise<{ readonly exec: Exec; readonly stream: Duplex }> {
  try {
    const exec = await container.exec(options);
    return { exec, stream: await exec.start({ hijack: true, stdin: true, Tty: options.Tty }) };
  } catch (error) {
    // 404: no such container; 409: it doesn't run.
    if ([404, 409].includes(statusOf(error) ?? 0)) throw new TaskNotRunningError(taskId);
    throw error;
  }
}

async function exitCodeOf(exec: Exec): Promise<number> {
  for (;;) {
    try {
      const { Running, ExitCode } = await exec.inspect();
      if (!Running) return ExitCode ?? LOST;
    } catch (error) {
      if (statusOf(error) === 404) return LOST;
      throw error;
    }
    await sleep(EXIT_POLL_MS);
  }
}

/** The two streams that the engine sends as one, read no faster than they are consumed. */
function demultiplexed(stream: Readable): { readonly stdout: Readable; readonly stderr: Readable } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const pass = async (): Promise<void> => {
    let seen = Buffer.alloc(0);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      seen = Buffer.concat([seen, chunk]);
      while (seen.length >= HEADER && seen.length >= HEADER + seen.readUInt32BE(4)) {
        const end = HEADER + seen.readUInt32BE(4);
        await write(seen[0] === STDERR ? stderr : stdout, seen.subarray(HEADER, end));
        seen = seen.subarray(end);
      }
    }
  };
  pass()
    .catch(() => undefined)
    .finally(() => {
      stdout.end();
      stderr.end();
    });
  return { stdout, stderr };
}

async function write(output: Writable, data: Buffer): Promise<void> {
  if (!output.write(data)) await once(output, 'drain');
}
