import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseRuntime, chooseRuntimeWithImages } from '../../../lib/local/runtimes';
import { RUNTIME_IMAGE } from '../../support/endpoint/runtime-contract';
import { describeWith, program } from '../../support/run/requirements';

describe('the choice of a runtime', () => {
  let stateDirectory: string;

  beforeEach(() => {
    stateDirectory = mkdtempSync(join(tmpdir(), 'mngr-fargate-choice-'));
  });

  afterEach(() => rmSync(stateDirectory, { recursive: true }));

  const nowhere = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

  it('says what to start where containers are wanted and no engine answers', async () => {
    const choice = { kind: 'container', stateDirectory, endpointId: 'test', environment: nowhere } as const;
    await expect(chooseRuntime(choice)).rejects.toMatchObject({
      code: 'failed',
      message: 'no container engine answers',
      hint: 'start Docker or Podman, or point DOCKER_HOST at its socket',
    });
  });

  it.each(['tcp://203.0.113.7:2375', 'ssh://somebody@example.com', 'nonsense'])(
    'refuses DOCKER_HOST=%s, whose tasks could not be reached',
    async (dockerHost) => {
      const choice = {
        kind: 'auto',
        stateDirectory,
        endpointId: 'test',
        environment: { DOCKER_HOST: dockerHost },
      } as const;
      await expect(chooseRuntime(choice)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining(`DOCKER_HOST is "${dockerHost}"`),
      });
    },
  );

  it('takes an engine that answers at the socket DOCKER_HOST names', async () => {
    const socket = join(stateDirectory, 'engine.sock');
    const answers: Record<string, unknown> = {
      '/_ping': 'OK',
      '/info': { NCPU: 2, Architecture: 'x86_64', OperatingSystem: 'Debian', SecurityOptions: ['name=rootless'] },
      '/version': { Version: '5.4.2', Components: [{ Name: 'Podman Engine' }] },
    };
    const server = createServer((request, response) => response.end(JSON.stringify(answers[request.url ?? ''])));
    await new Promise<void>((listening) => server.listen(socket, listening));
    try {
      const environment = { DOCKER_HOST: `unix://${socket}` };
      const runtime = await chooseRuntime({ kind: 'auto', stateDirectory, endpointId: 'test', environment });
      expect(runtime).toMatchObject({
        kind: 'container',
        description: `containers of Podman 5.4.2 at unix://${socket}`,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  describeWith(program('sshd'), 'an engine without a way to its registry', () => {
    /** Answers as an engine does that has no images and whose pulls fail. */
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      const path = (request.url ?? '').replace(/^\/v[\d.]+/, '');
      const answers: Record<string, unknown> = {
        '/_ping': 'OK',
        '/info': { NCPU: 2, Architecture: 'x86_64', OperatingSystem: 'Debian' },
        '/version': { Version: '28.0.0' },
      };
      const known = answers[path];
      response.statusCode = known !== undefined ? 200 : path.startsWith('/images/create') ? 500 : 404;
      response.end(JSON.stringify(known ?? { message: 'Get "https://registry-1.docker.io/v2/": dial tcp: timeout' }));
    };
    const lines: string[] = [];
    let server: Server;

    beforeEach(async () => {
      server = createServer(serve);
      await new Promise<void>((listening) => server.listen(join(stateDirectory, 'engine.sock'), listening));
    });

    afterEach(() => {
      server.closeAllConnections();
      return new Promise<void>((closed) => server.close(() => closed()));
    });

    const choose = (kind: 'auto' | 'container') => {
      const environment = { DOCKER_HOST: `unix://${join(stateDirectory, 'engine.sock')}` };
      const choice = { kind, stateDirectory, endpointId: 'test', environment };
      return chooseRuntimeWithImages(choice, [{ type: 'folder', path: RUNTIME_IMAGE }], (line) => lines.push(line));
    };

    it('lets tasks run as processes, and says why', async () => {
      const runtime = await choose('auto');
      expect(runtime.kind).toBe('process');
      expect(lines.join(' ')).toMatch(
        /can't run in containers: .*can't be pulled.*processes of this machine.* instead/,
      );
      await runtime.removeAll();
    });

    it('is an error where containers were asked for', async () => {
      await expect(choose('container')).rejects.toThrow(/can't be pulled: .*dial tcp: timeout/);
    });
  });

  describeWith(program('sshd'), 'without an engine', () => {
    it('takes processes, as root', async () => {
      const asked = chooseRuntime({ kind: 'auto', stateDirectory, endpointId: 'test', environment: nowhere });
      if (process.getuid?.() === 0) expect((await asked).kind).toBe('process');
      else
        await expect(asked).rejects.toMatchObject({
          code: 'denied',
          hint: expect.stringContaining('run this as root'),
        });
    });
  });
});
