import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { Store } from '../../lib/local/state/store';
import { KEYS, sshTo } from '../support/cdk/agent-task-environment';
import type { AppSettings } from '../support/cdk/agent-task-app';
import { APP_SETTINGS, APP_STACK } from '../support/cdk/agent-task-app';
import { cdk } from '../support/cdk/cdk-cli';
import type { CdkResult } from '../support/cdk/cdk-cli';
import type { HostsEnvironment } from '../support/host/hosts-environment';
import { startHostsEnvironment } from '../support/host/hosts-environment';
import type { MiniStack } from '../support/cdk/ministack';
import { MINISTACK_ACCOUNT, MINISTACK_REGION, startMiniStack } from '../support/cdk/ministack';
import { python } from '../support/run/python-tools';
import { describeWith, program } from '../support/run/requirements';

type Tasks = AppSettings['tasks'];
type Attributes = Record<'TaskArn' | 'HostId' | 'Address' | 'Port' | 'KnownHosts', string>;

const needs = [python, ...['sshd', 'ssh', 'tmux', 'jq', 'openssl', 'curl'].map(program)];

/**
 * A team's stack with hosts in it, through the `cdk` CLI. CloudFormation, Lambda and Step Functions are MiniStack's; ECS
 * and the network interfaces are the local endpoint's, which starts the tasks for real. The functions find their way
 * by the SDKs' own variables, so nothing in the product knows of it.
 */
describeWith(needs, 'deploying a stack with AgentTasks with the cdk CLI', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-agent-task-'));
  const assembly = join(folder, 'cdk.out');
  let hosts: HostsEnvironment;
  let aws: MiniStack;
  let network: Pick<AppSettings, 'vpcId' | 'subnetIds' | 'securityGroupId'>;

  const run = (words: readonly string[], tasks: Tasks): Promise<CdkResult> => {
    const settings: AppSettings = { account: MINISTACK_ACCOUNT, region: MINISTACK_REGION, ...network, tasks };
    const app = `${process.execPath} node_modules/tsx/dist/cli.mjs test/support/cdk/agent-task-app.ts`;
    return cdk([...words, '--app', app, '--output', assembly], {
      ...aws.environment,
      [APP_SETTINGS]: JSON.stringify(settings),
    });
  };
  const tryToDeploy = (tasks: Tasks): Promise<CdkResult> =>
    run(['deploy', '--require-approval', 'never', '--outputs-file', join(folder, 'outputs.json')], tasks);
  const deploy = async (tasks: Tasks): Promise<void> => {
    const { exitCode, output } = await tryToDeploy(tasks);
    if (exitCode !== 0) throw new Error(`cdk deploy ended with ${exitCode}:\n${output}`);
  };
  const attributesOf = async (id: string): Promise<Attributes> => {
    const outputs = JSON.parse(await readFile(join(folder, 'outputs.json'), 'utf8')) as Record<string, object>;
    const own = Object.entries(outputs[APP_STACK] ?? {}).filter(([name]) => name.startsWith(id));
    return Object.fromEntries(own.map(([name, value]) => [name.slice(id.length), value as string])) as Attributes;
  };

  beforeAll(async () => {
    const stateDirectory = join(folder, 'state');
    await knowMiniStacksKeys(stateDirectory);
    hosts = await startHostsEnvironment({ stateDirectory });
    const { endpoint } = hosts.local;
    aws = await startMiniStack({
      AWS_ENDPOINT_URL_ECS: endpoint,
      AWS_ENDPOINT_URL_EC2: endpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: endpoint,
    });
    const ec2 = new EC2Client(hosts.local.client);
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: hosts.config.subnets }));
    network = {
      vpcId: Subnets?.[0]?.VpcId ?? '',
      subnetIds: hosts.config.subnets,
      securityGroupId: hosts.config.security_groups[0] ?? '',
    };
    const { exitCode, output } = await cdk(
      ['bootstrap', `aws://${MINISTACK_ACCOUNT}/${MINISTACK_REGION}`],
      aws.environment,
    );
    if (exitCode !== 0) throw new Error(output);
  }, 300_000);

  afterAll(async () => {
    await aws?.stop();
    await hosts?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('starts the hosts, replaces the one that changes, rolls back what fails, and ends them all', async () => {
    const host = (name: string, topic: string) => ({
      name,
      publicKey: KEYS.publicKey,
      command: ['sh', '-c', 'echo "$TOPIC" > ~/topic; sleep 3600'],
      env: { TOPIC: topic },
      cpu: 256,
      memoryLimitMiB: 512,
    });
    const topicOf = async (attributes: Attributes): Promise<string> =>
      (await sshTo(attributes, 'cat ~/topic && tmux has-session -t "=mngr-$MNGR_HOST_NAME"')).stdout.trim();

    await deploy({ Reviewer: host('reviewer', 'code'), Writer: host('writer', 'docs') });
    const [reviewer, writer] = [await attributesOf('Reviewer'), await attributesOf('Writer')];
    expect(await hosts.running()).toHaveLength(2);
    expect([await topicOf(reviewer), await topicOf(writer)]).toEqual(['code', 'docs']);
    expect((await hosts.hosts().list()).map(({ name, ready }) => ({ name, ready }))).toEqual(
      expect.arrayContaining([
        { name: 'reviewer', ready: true },
        { name: 'writer', ready: true },
      ]),
    );

    // One changes: it is replaced, under its name, and the other one is left alone.
    await deploy({ Reviewer: host('reviewer', 'tests'), Writer: host('writer', 'docs') });
    const [replaced, untouched] = [await attributesOf('Reviewer'), await attributesOf('Writer')];
    expect(untouched).toEqual(writer);
    expect(replaced.TaskArn).not.toBe(reviewer.TaskArn);
    expect(await topicOf(replaced)).toBe('tests');
    expect(await hosts.running()).toHaveLength(2);

    // One more, whose key no sshd takes: the task ends by itself, and the stack goes back to what it was.
    const broken = { ...host('broken', 'x'), publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA' };
    const failed = await tryToDeploy({
      Reviewer: host('reviewer', 'tests'),
      Writer: host('writer', 'docs'),
      Broken: broken,
    });
    expect(failed.exitCode).not.toBe(0);
    expect(failed.output).toMatch(/the task of host broken stopped before it was ready: .*exit code 77/);
    expect(await hosts.running()).toHaveLength(2);
    expect(await topicOf(replaced)).toBe('tests');

    expect(await cdk(['destroy', '--force', '--app', assembly], aws.environment)).toMatchObject({ exitCode: 0 });
    expect(await hosts.running()).toEqual([]);
  }, 900_000);
});

/** MiniStack signs the functions' calls with the account's number, which the endpoint then takes for a key of its own. */
async function knowMiniStacksKeys(stateDirectory: string): Promise<void> {
  const store = await Store.open(stateDirectory);
  store.collection('administrator').set('administrator', { accessKeyId: MINISTACK_ACCOUNT, secretAccessKey: 'test' });
  await store.close();
}
