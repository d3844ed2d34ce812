import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { GetCallerIdentityCommandOutput, STSClientConfig } from '@aws-sdk/client-sts';

/** The calls to STS. A module of its own, loaded by the first command that asks who is calling. */
export class StsApi {
  private readonly client: STSClient;

  constructor(options: STSClientConfig) {
    this.client = new STSClient(options);
  }

  callerIdentity(abortSignal?: AbortSignal): Promise<GetCallerIdentityCommandOutput> {
    return this.client.send(new GetCallerIdentityCommand({}), { abortSignal });
  }

  destroy(): void {
    this.client.destroy();
  }
}
