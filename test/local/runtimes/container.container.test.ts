import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerRuntime, CONTAINER_LABELS } from '../../../lib/local/runtimes/container';
import { findEngine } from '../../../lib/local/runtimes/engine';
import type { TaskSpec } from '../../../lib/local/runtimes/runtime';
import { ensureBaseImage } from '../../support/host/base-image';
import { containerEngine, describeWith } from '../../support/run/requirements';
import { itKeepsTheRuntimeContract, RUNTIME_IMAGE } from '../../support/endpoint/runtime-contract';

async function createRuntime(stateDirectory: string, endpointId: string): Promise<ContainerRuntime> {
  const engine = await findEngine();
  if (engine === undefined) throw new Error('docker answers, but no engine was found');
  return new ContainerRuntime(engine, { stateDirectory, endpointId });
}

const docker = (...args: string[]): string[] =>
  execFileSync('docker', args)
    .toString()
    .split('\n')
    .filter((line) => line !== '');

const labelOf = (endpointId: string): string => `label=${CONTAINER_LABELS.endpoint}=${endpointId}`;

describeWith(containerEngine, 'containers', () => {
  beforeAll(() => ensureBaseImage(), 600_000);

  itKeepsTheRuntimeContract({
    create: createRuntime,
    leftovers: (_stateDirectory, endpointId) => docker('ps', '--quiet', '--filter', labelOf(endpointId)),
    ownRoot: true,
  });
});

describeWith(containerEngine, 'what only containers do', () => {
  const endpointId = `test-containers-${process.pid}`;
  const never = new AbortController().signal;
  let stateDirectory: string;
  let runtime: ContainerRuntime;

  beforeAll(async () => {
    stateDirectory = mkdtempSync(join(tmpdir(), 'mngr-fargate-containers-'));
    runtime = await createRuntime(stateDirectory, endpointId);
  });

  afterAll(async () => {
    await runtime.removeAll();
    rmSync(stateDirectory, { recursive: true });
  });

  const shell = async (taskId: string, script: string, changes: Partial<TaskSpec> = {}): Promise<TaskSpec> => {
    const spec: TaskSpec = {
      taskId: `${endpointId}-${taskId}`,
      image: await runtime.prepare({ type: 'folder', path: RUNTIME_IMAGE }),
      address: await runtime.reserveAddress(taskId),
      environment: {},
      entryPoint: ['sh', '-c'],
      command: [script],
      cpu: 256,
      memory: 512,
      initProcess: false,
      containerName: 'agent',
      ...changes,
    };
    await runtime.start(spec);
    return spec;
  };

  it('reports a task that used more memory than it has', async () => {
    const task = await shell('memory', 'head -c 300m /dev/zero | tail', { memory: 64 });
    expect(await runtime.wait(task.taskId, never)).toEqual({ exitCode: 137, oomKilled: true });
  });

  it('runs a task as the user it names', async () => {
    const task = await shell('user', 'id -u', { user: '1234' });
    await runtime.wait(task.taskId, never);
    expect((await runtime.readLogs(task.taskId, 0)).lines.map(({ message }) => message)).toEqual(['1234']);
  });

  it('knows that a task ended whose container somebody else removed', async () => {
    const task = await shell('gone', 'sleep 60');
    const waiting = runtime.wait(task.taskId, never);
    docker('rm', '--force', `mngr-fargate-${task.taskId}`);
    expect((await waiting).exitCode).toBe(137);
    await runtime.stop(task.taskId, 1);
    await runtime.remove(task.taskId);
  });

  it('removes every container, ended ones too', async () => {
    await shell('ended', 'true');
    await runtime.removeAll();
    expect(docker('ps', '--all', '--quiet', '--filter', labelOf(endpointId))).toEqual([]);
  });

  describe('images', () => {
    const folder = (dockerfile: string, ignore = ''): string => {
      const path = mkdtempSync(join(stateDirectory, 'image-'));
      writeFileSync(join(path, 'Dockerfile'), dockerfile);
      writeFileSync(join(path, 'kept'), 'kept');
      writeFileSync(join(path, 'secret'), 'secret');
      writeFileSync(join(path, '.dockerignore'), ignore);
      return path;
    };

    it('says what to do when the base image is nowhere to be had', async () => {
      const path = folder('ARG BASE=127.0.0.1:9/no/base:1\nFROM ${BASE}\n');
      await expect(runtime.prepare({ type: 'folder', path })).rejects.toThrow(
        /the base image of .*, 127\.0\.0\.1:9\/no\/base:1, is not on this machine and can't be pulled: .*docker pull/,
      );
    });

    it("shows the build's last lines when it fails", async () => {
      const path = folder('FROM debian:bookworm-slim\nRUN echo something is wrong && exit 3\n');
      await expect(runtime.prepare({ type: 'folder', path })).rejects.toThrow(
        /can't be built: .*\n.*something is wrong/s,
      );
    });

    it('builds with build arguments and .dockerignore, and only once for the same content', async () => {
      const dockerfile = 'FROM debian:bookworm-slim\nARG WORD\nCOPY . /here\nRUN echo "$WORD"; ls -A /here\n';
      const image = {
        type: 'folder',
        path: folder(dockerfile, 'secret\n'),
        buildArgs: { WORD: `w${Date.now()}` },
      } as const;
      const lines: string[] = [];
      const first = await runtime.prepare(image, (line) => lines.push(line));
      expect(lines).toContain(image.buildArgs.WORD);
      expect(lines).toContain('kept');
      expect(lines).not.toContain('secret');
      const again: string[] = [];
      expect(await runtime.prepare(image, (line) => again.push(line))).toEqual(first);
      expect(again).toEqual([]);
      docker('rmi', '--force', first.reference);
    });

    it('takes an image that the engine has by its name', async () => {
      const { reference } = await runtime.prepare({ type: 'uri', uri: 'debian:bookworm-slim' });
      expect(reference).toMatch(/^sha256:/);
    });
  });
});
