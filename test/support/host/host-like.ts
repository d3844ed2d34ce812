import type { Host } from '../../../lib/hosts/model/types';

const BASE: Host = {
  hostId: `host-${'0'.repeat(32)}`,
  name: 'fox',
  provider: 'fargate',
  state: 'RUNNING',
  ready: true,
  taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/1',
  address: null,
  publicIp: null,
  privateIp: null,
  createdAt: '2026-11-21T09:55:00.000Z',
  startedAt: '2026-11-21T09:55:20.000Z',
  readyAt: '2026-11-21T09:55:22.000Z',
  expiresAt: null,
  stoppedAt: null,
  stopCode: null,
  stoppedReason: null,
  containerReason: null,
  exitCode: null,
  cpu: 1024,
  memory: 4096,
  ephemeralStorage: 20,
  architecture: 'X86_64',
  spot: false,
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/mngr-task:1',
  image: null,
  availabilityZone: null,
  tags: {},
  costUsd: 0.1,
  costUsdPerHour: 0.05,
  billedFrom: '2026-11-21T09:55:05.000Z',
  identityFile: null,
  knownHostsFile: null,
};

/** A host for what works on hosts without asking AWS, with whatever matters to the test. */
export const hostLike = (change: Partial<Host>): Host => ({ ...BASE, ...change });
