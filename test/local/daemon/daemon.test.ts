import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe as describeEndpoint, down, env, status, up } from '../../../lib/local';
import { SMALL_ASSEMBLY } from '../../support/endpoint/local-endpoint-template';
import { describeWith, program } from '../../support/run/requirements';

describeWith([program('sshd'), program('setsid')], 'the endpoint as a daemon', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-d-'));
  const stateDirectory = join(folder, 'local');
  const assemblyDirectory = join(folder, 'cdk.out');
  const options = { stateDirectory, assemblyDirectory, runtime: 'process' as const };

  beforeAll(async () => {
    await mkdir(assemblyDirectory);
    writeFileSync(join(assemblyDirectory, 'mngr-fargate.template.json'), JSON.stringify(SMALL_ASSEMBLY.template));
    writeFileSync(join(assemblyDirectory, 'mngr-fargate.assets.json'), JSON.stringify({ dockerImages: {} }));
  });

  afterAll(async () => {
    await down({ stateDirectory });
    await rm(folder, { recursive: true });
  });

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  const pidOf = async (): Promise<number> => (await status({ stateDirectory })).pid as number;

  it('comes up, is found by later commands, and goes down with all it had', async () => {
    const first = await up(options);
    expect(await env({ stateDirectory })).toEqual(first.env);
    expect(await describeEndpoint({ stateDirectory })).toEqual(first);
    expect(statSync(join(stateDirectory, 'daemon.json')).mode & 0o777).toBe(0o600);
    expect(statSync(stateDirectory).mode & 0o777).toBe(0o700);

    const sts = new STSClient({
      endpoint: first.endpoint,
      region: first.region,
      credentials: {
        accessKeyId: first.env.AWS_ACCESS_KEY_ID,
        secretAccessKey: first.env.AWS_SECRET_ACCESS_KEY,
      },
    });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe('000000000000');
    sts.destroy();

    const pid = await pidOf();
    expect(await up(options)).toEqual(first);
    expect(await pidOf()).toBe(pid);

    // A killed daemon is started again at the same address with the same keys.
    process.kill(pid, 'SIGKILL');
    expect(await up(options)).toEqual(first);
    expect(await pidOf()).not.toBe(pid);

    await expect(up({ ...options, region: 'eu-west-1' })).rejects.toMatchObject({ code: 'usage' });

    const last = await pidOf();
    expect(await down({ stateDirectory })).toEqual({ wasRunning: true, taskArns: [] });
    expect(isAlive(last)).toBe(false);
    expect(existsSync(stateDirectory)).toBe(false);
    expect(await down({ stateDirectory })).toEqual({ wasRunning: false, taskArns: [] });
    await expect(env({ stateDirectory })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is ended by an abort while it starts, and can be started again', async () => {
    const controller = new AbortController();
    const lines: string[] = [];
    const starting = up({
      ...options,
      signal: controller.signal,
      onProgress: (line) => {
        lines.push(line);
        controller.abort(new Error('Ctrl-C'));
      },
    });
    await expect(starting).rejects.toMatchObject({ code: 'aborted', cause: new Error('Ctrl-C') });
    expect(lines.length).toBeGreaterThan(0);
    expect((await status({ stateDirectory })).running).toBe(false);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(processes).not.toContain(stateDirectory);

    await expect(up({ ...options, signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(up(options)).resolves.toMatchObject({ stackName: 'mngr-fargate' });
    await down({ stateDirectory });
  });

  it('says what is missing, and leaves nothing running', async () => {
    await expect(up({ ...options, assemblyDirectory: folder })).rejects.toMatchObject({ code: 'not-found' });
    expect((await status({ stateDirectory })).running).toBe(false);
  });
});
