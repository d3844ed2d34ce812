import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { EC2ClientConfig, NetworkInterface } from '@aws-sdk/client-ec2';

/** The calls to EC2. A module of its own, so that a command that calls nothing there doesn't load the SDK's largest model. */
export class Ec2Api {
  private readonly client: EC2Client;

  constructor(options: EC2ClientConfig) {
    this.client = new EC2Client(options);
  }

  async describeNetworkInterfaces(ids: readonly string[], abortSignal?: AbortSignal): Promise<NetworkInterface[]> {
    const command = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [...ids] });
    return (await this.client.send(command, { abortSignal })).NetworkInterfaces ?? [];
  }

  destroy(): void {
    this.client.destroy();
  }
}
