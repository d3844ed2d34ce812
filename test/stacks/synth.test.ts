import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cdk, networkNamespaces } from '../support/cdk/cdk-cli';
import { describeWith } from '../support/run/requirements';
import { ROOT } from '../support/run/paths';

describe('synthesizing', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mngr-fargate-synth-'));
  });

  afterEach(() => {
    rmSync(home, { recursive: true, force: true });
  });

  const template = (folder: string): unknown =>
    JSON.parse(readFileSync(join(home, folder, 'mngr-fargate.template.json'), 'utf8'));
  const withoutCli = (context: Record<string, string>, folder: string) =>
    promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/tsx/dist/cli.mjs'), join(ROOT, 'bin/app.ts')], {
      cwd: home,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        CDK_OUTDIR: join(home, folder),
        CDK_CONTEXT_JSON: JSON.stringify(context),
      },
    });

  describeWith(networkNamespaces, 'with `npx cdk synth`', () => {
    it('needs no credentials, no context, and no network', async () => {
      const { exitCode, output } = await cdk(
        ['synth', '--quiet', '-o', join(home, 'out')],
        { HOME: home },
        { withoutNetwork: true },
      );

      expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
      expect(output).not.toContain('nobody can reach SSH');
      expect(template('out')).toHaveProperty('Outputs.ProviderBlock');
    }, 300_000);
  });

  it('gives the same template without the CLI, from any folder', async () => {
    const context = { account: '123456789012', region: 'eu-central-1', sshCidr: '203.0.113.7/32' };
    const flags = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${value}`]);

    const plain = ['--no-path-metadata', '--no-version-reporting'];
    const { exitCode, output } = await cdk(['synth', '--quiet', ...plain, ...flags, '-o', join(home, 'cli')], {
      HOME: home,
    });
    await withoutCli(context, 'alone');

    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(template('alone')).toEqual(template('cli'));
  }, 300_000);

  it('stops at a wrong setting with one clear message and no stack trace', async () => {
    const failure = await withoutCli({ sshCidr: 'office' }, 'wrong').then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );

    expect(failure?.code).toBe(1);
    expect(failure?.stderr).toContain(
      'mngr-fargate: the context is not valid:\n  - sshCidr: "office" is not an IP network: use CIDR notation',
    );
    expect(failure?.stderr).not.toMatch(/\n\s+at /);
  }, 300_000);

  it('fails when cdk-nag has an unacknowledged finding', async () => {
    const failure = await withoutCli({ nagPacks: 'NIST.800.53.R5' }, 'nag').then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );

    expect(failure?.code).toBe(1);
    expect(failure?.stderr).toContain('NIST.800.53.R5-CloudWatchLogGroupEncrypted');
  }, 300_000);
});
