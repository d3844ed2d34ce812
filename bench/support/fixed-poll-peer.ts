import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTasksCommand, ECSClient, RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { BOOT_ENVIRONMENT } from '../../lib/contract/boot-variables';
import { startedByOf } from '../../lib/contract/host-name';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { HOST_TAGS } from '../../lib/contract/tags';
import { generateKeyPair } from '../../lib/ssh/index';
import { runCommand } from './command';
import { monotonic } from './monotonic';
import { keyExchange } from './bare-ssh';

const POLL_INTERVAL_MS = 5_000;
const SSHD_RETRY_MS = 1_000;

export interface PeerHost {
  readonly ip: string;
  /** When the peer goes on to use the host, on the monotonic clock. */
  readonly readyAt: number;
}

/**
 * The schedule of the Python plugin (Metta-AI/mngr-fargate, create_host) over the same API: DescribeTasks every 5 s
 * until RUNNING, DescribeNetworkInterfaces, a whole key exchange as mngr's wait_for_sshd makes it, and ssh-keyscan.
 * What the plugin then does on the host is left out, to its advantage.
 */
export class FixedPollPeer {
  private readonly ecs: ECSClient;
  private readonly ec2: EC2Client;
  private readonly started: string[] = [];

  constructor(private readonly config: ProviderConfig) {
    const { aws_region: region, aws_role_arn: RoleArn } = config;
    const credentials = RoleArn === undefined ? undefined : fromTemporaryCredentials({ params: { RoleArn } });
    this.ecs = new ECSClient({ region, credentials });
    this.ec2 = new EC2Client({ region, credentials });
  }

  async create(name: string): Promise<PeerHost> {
    const { ip, port } = await this.address(await this.runTask(name));
    while (!(await keyExchange(ip, port))) await sleep(SSHD_RETRY_MS);
    await runCommand({ program: 'ssh-keyscan', args: ['-p', String(port), '-T', '5', ip] });
    return { ip, readyAt: monotonic() };
  }

  /** Stops every task it started. */
  async close(): Promise<void> {
    for (const task of this.started) {
      await this.ecs.send(new StopTaskCommand({ cluster: this.config.ecs_cluster, task }));
    }
    this.ecs.destroy();
    this.ec2.destroy();
  }

  private async runTask(name: string): Promise<string> {
    const { config } = this;
    const { publicKey } = await generateKeyPair(name);
    const environment = {
      [BOOT_ENVIRONMENT.sshPublicKey]: publicKey,
      [BOOT_ENVIRONMENT.hostName]: name,
      [BOOT_ENVIRONMENT.provider]: PEER_PROVIDER,
    };
    const { tasks: [task] = [], failures } = await this.ecs.send(
      new RunTaskCommand({
        cluster: config.ecs_cluster,
        taskDefinition: config.task_definition,
        launchType: 'FARGATE',
        enableExecuteCommand: true,
        startedBy: startedByOf(PEER_PROVIDER, name),
        clientToken: randomBytes(16).toString('hex'),
        tags: [{ key: HOST_TAGS.provider, value: PEER_PROVIDER }],
        networkConfiguration: {
          awsvpcConfiguration: {
            subnets: config.subnets,
            securityGroups: config.security_groups,
            assignPublicIp: config.assign_public_ip ? 'ENABLED' : 'DISABLED',
          },
        },
        overrides: {
          containerOverrides: [
            {
              name: config.container_name,
              environment: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
            },
          ],
        },
      }),
    );
    if (task?.taskArn === undefined) throw new Error(`RunTask started nothing: ${JSON.stringify(failures)}`);
    this.started.push(task.taskArn);
    return task.taskArn;
  }

  private async address(arn: string): Promise<{ readonly ip: string; readonly port: number }> {
    for (;;) {
      const { tasks: [task] = [] } = await this.ecs.send(
        new DescribeTasksCommand({ cluster: this.config.ecs_cluster, tasks: [arn] }),
      );
      if (task?.lastStatus === 'STOPPED') throw new Error(`the peer's task stopped: ${task.stoppedReason}`);
      if (task?.lastStatus === 'RUNNING') {
        const details = task.attachments?.flatMap((attachment) => attachment.details ?? []) ?? [];
        const id = details.find((detail) => detail.name === 'networkInterfaceId')?.value ?? '';
        const { NetworkInterfaces: [found] = [] } = await this.ec2.send(
          new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] }),
        );
        const binding = task.containers?.[0]?.networkBindings?.[0];
        return { ip: found?.Association?.PublicIp ?? found?.PrivateIpAddress ?? '', port: binding?.hostPort ?? 22 };
      }
      await sleep(POLL_INTERVAL_MS);
    }
  }
}

/** The peer's hosts are not among those that the bench's launcher lists. */
export const PEER_PROVIDER = 'peer';
