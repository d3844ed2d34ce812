import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { EcsContext } from './context';
import { privateAddress } from './private-address';
import type { TaskRecord } from './task-record';

export const seedSchema = z.strictObject({
  count: z.int().min(1).max(100_000),
  /** `startedBy` and tag values may have `{n}`, which becomes the task's number from 1. */
  startedBy: z.string().default('mngr/fargate/seed-{n}'),
  tags: z.record(z.string(), z.string()).default({}),
  /** Default: the stack's first cluster. */
  cluster: z.string().optional(),
});

export type SeedRequest = z.infer<typeof seedSchema>;

const PUBLIC_BASE = '127.64.0.0/10';

/** A task that looks as if it ran, with a network interface and an address at which nothing answers. */
export function syntheticTask(context: EcsContext, request: SeedRequest, n: number): TaskRecord {
  const { arns, clusters, definitions, tasks, network, interfaces, clock } = context;
  const cluster = clusters.get(request.cluster ?? clusters.all()[0]?.name);
  const entry = definitions.find(definitions.families()[0] ?? '');
  const [subnet] = network.subnets.values();
  if (subnet === undefined || entry === undefined) throw new Error('the stack has no subnet or no task definition');
  const id = randomBytes(16).toString('hex');
  const sequence = tasks.takeSequence();
  const now = clock.now();
  const fill = (text: string): string => text.replaceAll('{n}', String(n));
  const eni = interfaces.create({
    subnet,
    securityGroups: [],
    privateIp: privateAddress(subnet.cidr, sequence),
    publicIp: privateAddress(PUBLIC_BASE, sequence),
    description: arns.attachment(id),
    tags: [],
    attachedAt: now,
  });
  const { definition } = entry;
  const taskArn = arns.task(cluster.name, id);
  return {
    id,
    cluster: cluster.name,
    sequence,
    synthetic: true,
    tags: Object.entries(request.tags).map(([key, value]) => ({ key, value: fill(value) })),
    networking: { subnetId: subnet.id, securityGroups: [], assignPublicIp: true },
    faults: {},
    containerStarted: false,
    networkInterfaceId: eni.id,
    task: {
      taskArn,
      clusterArn: cluster.arn,
      taskDefinitionArn: definition.taskDefinitionArn,
      attachments: [
        {
          id,
          type: 'ElasticNetworkInterface',
          status: 'ATTACHED',
          details: [
            { name: 'subnetId', value: subnet.id },
            { name: 'networkInterfaceId', value: eni.id },
            { name: 'macAddress', value: eni.macAddress },
            { name: 'privateDnsName', value: eni.privateDnsName },
            { name: 'privateIPv4Address', value: eni.privateIp },
          ],
        },
      ],
      containers: [
        {
          containerArn: arns.container(cluster.name, id, id),
          taskArn,
          name: definition.containerDefinitions?.[0]?.name,
          lastStatus: 'RUNNING',
          networkInterfaces: [{ attachmentId: id, privateIpv4Address: eni.privateIp }],
        },
      ],
      cpu: definition.cpu,
      memory: definition.memory,
      createdAt: now,
      startedAt: now,
      connectivity: 'CONNECTED',
      connectivityAt: now,
      desiredStatus: 'RUNNING',
      lastStatus: 'RUNNING',
      group: `family:${definition.family}`,
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      platformFamily: 'Linux',
      availabilityZone: subnet.availabilityZone,
      startedBy: fill(request.startedBy),
      version: 1,
    },
  };
}
