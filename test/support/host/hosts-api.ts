import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STACK_OUTPUTS } from '../../../lib/contract/outputs';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import type { ProviderConfig } from '../../../lib/contract/provider-config';
import { Hosts } from '../../../lib/hosts';
import type { HostsOptions } from '../../../lib/hosts';
import { AwsClients } from '../../../lib/aws/clients';
import { EcsClient, LAUNCHER_SHARE } from '../../../lib/aws/ecs-client';
import { Tasks } from '../../../lib/hosts/ecs/tasks';
import type { FakeRuntime } from '../endpoint/fake-runtime';
import { startLocalEndpoint } from '../endpoint/local-endpoint';
import type { LocalEndpoint } from '../endpoint/local-endpoint';

/** The launcher at an endpoint whose tasks run nothing: for what it asks of AWS, not for what it does on a host. */
export interface HostsApi {
  readonly local: LocalEndpoint<FakeRuntime>;
  readonly config: ProviderConfig;
  /** For `new Hosts`. */
  readonly aws: NonNullable<HostsOptions['aws']>;
  readonly hosts: Hosts;
  readonly tasks: Tasks;
  /** Calls by `service:Operation` since the log was last reset. */
  calls(): Record<string, number>;
  close(): Promise<void>;
}

export async function startHostsApi(): Promise<HostsApi> {
  const local = await startLocalEndpoint();
  const keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-hosts-api-'));
  const list = (key: keyof typeof STACK_OUTPUTS): string[] => (local.outputs[STACK_OUTPUTS[key]] ?? '').split(',');
  const config = providerConfigSchema.parse({
    aws_region: local.region,
    ecs_cluster: list('ecsCluster')[0],
    task_definition: list('taskDefinition')[0],
    subnets: list('subnets'),
    security_groups: list('securityGroups'),
  });
  const aws = { endpoint: local.endpoint, credentials: () => Promise.resolve(local.credentials) };
  const hosts = new Hosts({ config, keyDirectory, aws });
  const clients = new AwsClients(config, aws);
  return {
    local,
    config,
    aws,
    hosts,
    tasks: new Tasks(new EcsClient(clients, LAUNCHER_SHARE), config.ecs_cluster),
    calls: () =>
      Object.fromEntries(Object.entries(local.control.callLog.summary()).map(([name, { count }]) => [name, count])),
    close: async () => {
      clients.destroy();
      await hosts.close();
      await local.destroy();
      rmSync(keyDirectory, { recursive: true, force: true });
    },
  };
}
