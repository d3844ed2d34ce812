import type { Session } from '@aws-sdk/client-ssm';
import { DescribeSessionsCommand, SSMClient } from '@aws-sdk/client-ssm';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Host } from '../../lib/hosts/model/types';
import { CliLocal, localHosts, START_UP } from '../support/cli/cli-local';
import { describeWith } from '../support/run/requirements';

interface Calls {
  readonly operations: Readonly<Record<string, { readonly count: number; readonly errors: Record<string, number> }>>;
}

describeWith(localHosts, 'a host of the default stack, whose port 22 is closed', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local.stop());

  const activeSessions = async (): Promise<readonly Session[] | undefined> => {
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = local.up.env ?? {};
    const ssm = new SSMClient({
      endpoint: local.up.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
    });
    const { Sessions: active } = await ssm.send(new DescribeSessionsCommand({ State: 'Active' }));
    ssm.destroy();
    return active;
  };

  const calls = async (): Promise<Calls['operations']> => ((await local.control('GET', 'calls')) as Calls).operations;

  test('create, exec, cp, message, list, connect and destroy go through Session Manager', async () => {
    const { home } = local;
    const fox = await home.json<Host>(['create', 'fox', '--', 'cat']);
    expect(fox).toMatchObject({ ready: true, state: 'RUNNING' });
    expect(await calls()).toMatchObject({ 'ssm:StartSession': { count: expect.any(Number) as number } });

    await expect(home.run(['exec', 'fox', '--', 'sh', '-c', 'cat; exit 3'], { input: 'in' })).resolves.toMatchObject({
      exitCode: 3,
      stdout: 'in',
    });
    writeFileSync(home.path('there'), 'text\u0000\n');
    expect(await home.run(['cp', home.path('there'), 'fox:back'])).toMatchObject({ exitCode: 0 });
    expect(await home.run(['cp', 'fox:back', home.path('back')])).toMatchObject({ exitCode: 0 });
    expect(readFileSync(home.path('back'), 'utf8')).toBe('text\u0000\n');
    expect(await home.run(['message', 'fox', 'hello'])).toMatchObject({ exitCode: 0 });
    expect(await home.json<Host[]>(['list'])).toMatchObject([{ name: 'fox', ready: true }]);

    const { arguments: words } = await home.json<{ readonly arguments: readonly string[] }>(['connect', 'fox']);
    expect(words.join(' ')).toMatch(/ProxyCommand=.*ssh-proxy/);

    // sshd may end a session before its client does; one that nobody ended would be active.
    expect(await calls()).toMatchObject({ 'ssm:StartSession': { errors: {} }, 'ssm:TerminateSession': { errors: {} } });
    expect(await activeSessions()).toEqual([]);
    expect(await home.run(['destroy', 'fox', '--yes'])).toMatchObject({ exitCode: 0 });
  });
});
