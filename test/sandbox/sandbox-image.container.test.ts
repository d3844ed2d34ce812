import { WebSocket } from 'ws';
import { ensureBaseImage } from '../support/host/base-image';
import { containerEngine, describeWith } from '../support/run/requirements';
import { ApiClient } from '../support/sandbox/api-client';
import { SandboxServiceProcess } from '../support/sandbox/sandbox-service';
import { Terminal } from '../support/sandbox/terminal';

/** The image of sandboxes is built at the start. */
const START_UP = 600_000;

describeWith(containerEngine, 'a sandbox in a container of its image', () => {
  let service: SandboxServiceProcess;
  let api: ApiClient;
  let box: string;

  beforeAll(async () => {
    await ensureBaseImage();
    service = await SandboxServiceProcess.start('container');
    api = new ApiClient(service.served.url, service.served.key);
    box = await api.sandbox({ id: 'box' });
  }, START_UP);
  afterAll(() => service?.stop(), START_UP);

  it("runs commands as the image's own user, with its Node, and without credentials", async () => {
    const names = 'env | grep -E "^(AWS_(ACCESS|SECRET|SESSION|CONTAINER)|ECS_)"';
    const { result } = await api.run(box, { cmd: `id -un; pwd; node -p '6 * 7'; ${names}` });
    expect(result).toMatchObject({ stdout: 'sandbox\n/workspace\n42\n', stderr: '' });
    const root = await api.run(box, { argv: ['sudo', '-n', 'true'] });
    expect(root.result.exit_code).not.toBe(0);
  });

  it('runs the engine that the image has', async () => {
    const { result } = await api.run(box, { argv: ['sh', '-c', 'ls /usr/local/lib/mngr/sandboxd.js; pgrep -a node'] });
    expect(result.stdout).toMatch(/^\/usr\/local\/lib\/mngr\/sandboxd\.js\n[^]*\/usr\/local\/lib\/mngr\/sandboxd\.js/);
  });

  it('keeps files, and has git', async () => {
    await api.run(box, { argv: ['git', 'init', '--quiet', 'repo'] });
    const written = await api.post(`${box}/fs`, { path: 'repo/a.txt', content_b64: 'aGVsbG8K' });
    expect(written.status).toBe(201);
    const commit = await api.ended(box, await api.post(`${box}/git/commit`, { path: 'repo', message: 'first' }));
    expect(commit.status).toBe('done');
    const { result } = await api.run(box, { argv: ['git', '-C', 'repo', 'show', '--format=%s', 'HEAD:a.txt'] });
    expect(result.stdout).toBe('hello\n');
  });

  it('has a terminal', async () => {
    const { url, key } = api;
    const socket = new WebSocket(`${url.replace('http', 'ws')}${box}/pty?cols=100&rows=30`, {
      headers: { 'x-sandbox-secret': key },
    });
    const terminal = new Terminal(socket);
    await terminal.frame('started');
    socket.send(Buffer.from('stty size; exit 3\r'));
    await terminal.text('30 100');
    expect(await terminal.frame('exit')).toMatchObject({ exit_code: 3 });
  });
});
