import { randomBytes } from 'node:crypto';
import type { Collection, Store } from '../../state/store';
import type { World } from '../../world';
import type { Subnet } from './network';

/** The network interface of a task. */
export interface TaskInterface {
  readonly id: string;
  /** `eni-attach-…` of the attachment to Fargate's machine. */
  readonly attachmentId: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
  readonly securityGroups: readonly string[];
  readonly macAddress: string;
  readonly privateIp: string;
  readonly privateDnsName: string;
  /** Address at which the task's sshd answers; absent when none was asked for. */
  readonly publicIp?: string;
  /** Absent in a subnet without IPv6. */
  readonly ipv6?: string;
  /** As ECS writes it: the ARN of the task's attachment. */
  readonly description: string;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  readonly attachedAt: Date;
}

export interface NewInterface {
  readonly subnet: Subnet;
  readonly securityGroups: readonly string[];
  readonly privateIp: string;
  readonly publicIp?: string;
  readonly ipv6?: string;
  readonly description: string;
  readonly tags: TaskInterface['tags'];
  readonly attachedAt: Date;
}

/** VPC user guide, "DNS attributes": us-east-1 has a domain of its own. */
function privateDnsName(ip: string, availabilityZone: string): string {
  const region = availabilityZone.slice(0, -1);
  return `ip-${ip.replaceAll('.', '-')}.${region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`}`;
}

export class NetworkInterfaces {
  private readonly interfaces: Collection<TaskInterface>;

  constructor(store: Store) {
    this.interfaces = store.collection<TaskInterface>('networkInterfaces');
  }

  create({ subnet, ...settings }: NewInterface): TaskInterface {
    const created: TaskInterface = {
      ...settings,
      id: `eni-${randomBytes(9).toString('hex').slice(0, 17)}`,
      attachmentId: `eni-attach-${randomBytes(9).toString('hex').slice(0, 17)}`,
      subnetId: subnet.id,
      vpcId: subnet.vpcId,
      availabilityZone: subnet.availabilityZone,
      macAddress: `0a:${(randomBytes(5).toString('hex').match(/../g) ?? []).join(':')}`,
      privateDnsName: privateDnsName(settings.privateIp, subnet.availabilityZone),
    };
    this.interfaces.set(created.id, created);
    return created;
  }

  get(id: string): TaskInterface | undefined {
    return this.interfaces.get(id);
  }

  delete(id: string): void {
    this.interfaces.delete(id);
  }

  all(): TaskInterface[] {
    return [...this.interfaces.values()];
  }
}

export const networkInterfaces = ({ store }: World): NetworkInterfaces => new NetworkInterfaces(store);
