import * as z from 'zod';

/** The custom resource that ends an environment's hosts before the rest of the environment is deleted. */
export const HOST_DRAIN_RESOURCE_TYPE = 'Custom::MngrHostDrain';

export const hostDrainPropertiesSchema = z.object({
  /** Name of the cluster. */
  Cluster: z.string(),
  /** Task definition family of the hosts. */
  TaskFamily: z.string(),
  /** Whether running hosts are left alone; then they make the deletion fail. */
  Retain: z.enum(['true', 'false']).transform((text) => text === 'true'),
});

export type HostDrainPropertiesInput = Record<keyof z.input<typeof hostDrainPropertiesSchema>, unknown>;

/** The custom resource that makes sure of Amazon ECS's service-linked role. It has no properties. */
export const ECS_SERVICE_ROLE_RESOURCE_TYPE = 'Custom::MngrEcsServiceRole';
