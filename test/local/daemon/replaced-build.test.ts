import { fork } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalFiles } from '../../../lib/local/daemon/files';
import type { DaemonMessage } from '../../../lib/local/daemon/start';
import { callerOf, OPERATION_CALLS } from '../../support/endpoint/operation-calls';
import type { Existing } from '../../support/endpoint/operation-calls';
import { SMALL_ASSEMBLY } from '../../support/endpoint/local-endpoint-template';
import { ROOT } from '../../support/run/paths';
import { describeWith, program } from '../../support/run/requirements';
import type { Requirement } from '../../support/run/requirements';

/** The built daemon; `npm run build` makes it. */
const BUILT = join(ROOT, 'dist', 'cli');

const built: Requirement = {
  missing: () => (existsSync(BUILT) ? undefined : 'there is no build (npm run build)'),
};

describeWith([program('sshd'), built], 'a daemon whose build is replaced while it runs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-build-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('still serves every operation, and ends as it should', async () => {
    const build = join(folder, 'dist', 'cli');
    const assemblyDirectory = join(folder, 'cdk.out');
    mkdirSync(assemblyDirectory);
    cpSync(BUILT, build, { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(assemblyDirectory, 'mngr-fargate.template.json'), JSON.stringify(SMALL_ASSEMBLY.template));
    writeFileSync(join(assemblyDirectory, 'mngr-fargate.assets.json'), JSON.stringify({ dockerImages: {} }));
    const files = new LocalFiles(join(folder, 'local'));
    files.make();
    files.writeConfiguration({
      stateDirectory: files.directory,
      assemblyDirectory,
      assemblyHash: 'any',
      stackName: 'mngr-fargate',
      region: 'us-east-1',
      accountId: '000000000000',
      port: 0,
      portMayChange: true,
      runtime: 'process',
    });
    const daemon = fork(join(build, 'local-daemon.mjs'), [files.configuration], { execArgv: [], silent: true });
    let output = '';
    daemon.stdout?.on('data', (data: Buffer) => (output += data.toString()));
    daemon.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    const ended = new Promise<number | null>((resolve) => daemon.once('exit', resolve));
    await new Promise<void>((ready, failed) => {
      daemon.on('message', (message: DaemonMessage) => {
        if (message.kind === 'ready') ready();
        if (message.kind === 'failed') failed(new Error(message.message));
      });
    });
    rmSync(join(folder, 'dist'), { recursive: true });
    rmSync(join(folder, 'node_modules'));

    const { env } = files.readRecord()?.description ?? {};
    const client = {
      endpoint: env?.AWS_ENDPOINT_URL ?? '',
      region: env?.AWS_REGION ?? '',
      credentials: {
        accessKeyId: env?.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: env?.AWS_SECRET_ACCESS_KEY ?? '',
      },
    };
    const names: Existing = {
      cluster: 'mngr',
      taskArn: '0'.repeat(32),
      taskDefinition: 'none',
      subnet: 'subnet-0',
      logGroup: 'none',
      stackName: 'mngr-fargate',
      roleArn: 'arn:aws:iam::000000000000:role/none',
    };
    for (const [service, { inputs }] of Object.entries(OPERATION_CALLS)) {
      const { call, close } = callerOf(service, client);
      for (const [operation, input] of Object.entries(inputs(names))) {
        expect((await call(operation, input)).code ?? 'success').not.toMatch(/InternalFailure|ECONN|TimeoutError/);
      }
      close();
    }
    daemon.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(output).not.toContain('fault:');
  });
});
