import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { STACK_OUTPUTS } from '../../../lib/contract/outputs';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import type { ProviderConfig } from '../../../lib/contract/provider-config';
import { Hosts } from '../../../lib/hosts';
import type { HostsOptions } from '../../../lib/hosts';
import { ProcessRuntime } from '../../../lib/local/runtimes';
import { cachedAssembly } from '../cdk/assembly-cache';
import { startLocalEndpoint } from '../endpoint/local-endpoint';
import type { LocalEndpoint } from '../endpoint/local-endpoint';

/** The real stack on the local endpoint, whose tasks are processes with this machine's sshd. */
export interface HostsEnvironment {
  readonly local: LocalEndpoint<ProcessRuntime>;
  readonly config: ProviderConfig;
  /** A launcher under the operator role, with a key directory of its own unless one is given. Closed at the end. */
  hosts(options?: Partial<HostsOptions>): Hosts;
  keyDirectory(): string;
  /** Ids of tasks that run: what a failed create may not leave behind. */
  running(): Promise<string[]>;
  close(): Promise<void>;
}

export interface HostsEnvironmentOptions {
  /** Addresses for tasks, the first of which is never used. Default: many. */
  readonly addressPoolSize?: number;
  /** Where the endpoint keeps its state. Default: nowhere. */
  readonly stateDirectory?: string;
}

export async function startHostsEnvironment(options: HostsEnvironmentOptions = {}): Promise<HostsEnvironment> {
  const { stateDirectory, ...addresses } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mngr-hosts-'));
  const state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  const runtime = await ProcessRuntime.create({
    stateDirectory: state,
    endpointId: `hosts-${randomBytes(4).toString('hex')}`,
    ...addresses,
  });
  const local = await startLocalEndpoint({ runtime, assemblyDirectory: await cachedAssembly(), stateDirectory });
  const list = (key: keyof typeof STACK_OUTPUTS): string[] => (local.outputs[STACK_OUTPUTS[key]] ?? '').split(',');
  const text = (key: keyof typeof STACK_OUTPUTS): string => local.outputs[STACK_OUTPUTS[key]] as string;
  const config = providerConfigSchema.parse({
    aws_region: text('awsRegion'),
    ecs_cluster: text('ecsCluster'),
    task_definition: text('taskDefinition'),
    subnets: list('subnets'),
    security_groups: list('securityGroups'),
    assign_public_ip: text('assignPublicIp') === 'true',
    container_name: text('containerName'),
    aws_role_arn: text('operatorRoleArn'),
    cpu: 256,
    memory: 512,
  });
  const open: Hosts[] = [];
  const keyDirectory = (): string => mkdtempSync(join(folder, 'keys-'));
  return {
    local,
    config,
    keyDirectory,
    hosts: (options = {}) => {
      const aws = { endpoint: local.endpoint, credentials: () => Promise.resolve(local.credentials) };
      const hosts = new Hosts({ config, keyDirectory: keyDirectory(), aws, ...options });
      open.push(hosts);
      return hosts;
    },
    running: () => runtime.running(),
    close: async () => {
      for (const hosts of open) await hosts.close();
      await local.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
