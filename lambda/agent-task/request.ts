import { createHash } from 'node:crypto';
import { AGENT_TASK_LAUNCH_PROPERTIES, agentTaskPropertiesSchema } from '../../lib/contract/agent-task';
import type { AgentTaskProperties } from '../../lib/contract/agent-task';
import { MngrFargateError } from '../../lib/contract/errors';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { providerConfigSchema } from '../../lib/contract/provider-config';
import type { StackHostRequest } from '../../lib/hosts/lifecycle/stack-hosts';
import type { ResourceEvent } from './events';

type Properties = Readonly<Record<string, unknown>>;

/** Throws `usage`: an older version of the construct may have deployed properties that this one no longer understands. */
export function propertiesOf({ ResourceProperties }: ResourceEvent): AgentTaskProperties {
  const parsed = agentTaskPropertiesSchema.safeParse(ResourceProperties);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new MngrFargateError('usage', `the resource's properties are not valid: ${problems.join('; ')}`);
}

/** The provider's settings, in the terms of the launcher. */
export const configOf = (properties: AgentTaskProperties, region: string): ProviderConfig =>
  providerConfigSchema.parse({
    aws_region: region,
    ecs_cluster: properties.Cluster,
    task_definition: properties.TaskDefinition,
    container_name: properties.ContainerName,
    log_group: properties.LogGroup,
    subnets: properties.Subnets,
    security_groups: properties.SecurityGroups,
    assign_public_ip: properties.AssignPublicIp,
    cpu: properties.Cpu,
    memory: properties.Memory,
  });

export function hostRequestOf(event: ResourceEvent): StackHostRequest {
  const properties = propertiesOf(event);
  return {
    name: properties.Name,
    publicKey: properties.PublicKey,
    authorizedKeys: properties.AuthorizedKeys,
    command: properties.Command,
    env: properties.Env,
    cpu: properties.Cpu,
    memory: properties.Memory,
    ephemeralStorage: properties.EphemeralStorage,
    spot: properties.Spot,
    idleTimeout: properties.IdleTimeout,
    maxAge: properties.MaxAge,
    tags: properties.Tags,
    digest: digestOf(event.ResourceProperties),
  };
}

/** Digest of the properties that decide what runs. The order of their members does not matter. */
export const digestOf = (properties: Properties): string =>
  hash(AGENT_TASK_LAUNCH_PROPERTIES.map((name) => [name, sorted(properties[name])]));

/** RunTask's client token: one task per request of CloudFormation. At most 64 characters (ECS API, RunTask). */
export const clientTokenOf = ({ StackId, LogicalResourceId, RequestId }: ResourceEvent): string =>
  hash([StackId, LogicalResourceId, RequestId]);

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => [key, sorted(member)]);
}
