import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { DEFAULT_STACK_NAME, STACK_OUTPUTS } from '../../../lib/contract/outputs';
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
  /** Whether the stack's subnets have IPv6 besides, as a VPC of somebody else's may. Default: false. */
  readonly dualStack?: boolean;
}

export async function startHostsEnvironment(options: HostsEnvironmentOptions = {}): Promise<HostsEnvironment> {
  const { stateDirectory, dualStack = false, ...addresses } = options;
  const folder = mkdtempSync(join(tmpdir(), 'mngr-hosts-'));
  const state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  const runtime = await ProcessRuntime.create({
    stateDirectory: state,
    endpointId: `hosts-${randomBytes(4).toString('hex')}`,
    ...addresses,
  });
  const assembly = await cachedAssembly();
  const assemblyDirectory = dualStack ? withIpv6(assembly, join(folder, 'cdk.out')) : assembly;
  const local = await startLocalEndpoint({ runtime, assemblyDirectory, stateDirectory });
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

/** A copy of an assembly whose subnets give IPv6 addresses. */
function withIpv6(assembly: string, folder: string): string {
  cpSync(assembly, folder, { recursive: true });
  const file = join(folder, `${DEFAULT_STACK_NAME}.template.json`);
  const template = JSON.parse(readFileSync(file, 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  for (const { Type, Properties } of Object.values(template.Resources))
    if (Type === 'AWS::EC2::Subnet') Properties.AssignIpv6AddressOnCreation = true;
  writeFileSync(file, JSON.stringify(template));
  return folder;
}
