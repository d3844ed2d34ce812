import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { AwsCredentialIdentityProvider } from '@aws-sdk/types';
import type { ProviderConfig } from '../../contract/provider-config';
import type { AwsSettings } from '../model/types';
import { sdkOptions } from './sdk-options';

/** The SDK's clients, made when first used and shared by all calls of one launcher. */
export class AwsClients {
  private made: { destroy(): void }[] = [];
  private ecsClient: ECSClient | undefined;
  private ec2Client: EC2Client | undefined;
  private logsClient: CloudWatchLogsClient | undefined;
  private readonly credentials: AwsCredentialIdentityProvider;

  constructor(
    private readonly config: ProviderConfig,
    private readonly settings: AwsSettings = {},
  ) {
    const { aws_profile: profile, aws_role_arn: roleArn, aws_region: region } = config;
    const own = settings.credentials ?? fromNodeProviderChain({ profile, clientConfig: { region } });
    this.credentials =
      roleArn === undefined
        ? own
        : fromTemporaryCredentials({
            masterCredentials: own,
            params: { RoleArn: roleArn, RoleSessionName: 'mngr-fargate' },
            clientConfig: { region, endpoint: settings.endpoint },
          });
  }

  get ecs(): ECSClient {
    return (this.ecsClient ??= this.keep(new ECSClient(this.options())));
  }

  get ec2(): EC2Client {
    return (this.ec2Client ??= this.keep(new EC2Client(this.options())));
  }

  get logs(): CloudWatchLogsClient {
    return (this.logsClient ??= this.keep(new CloudWatchLogsClient(this.options())));
  }

  destroy(): void {
    for (const client of this.made) client.destroy();
    this.made = [];
  }

  private keep<Client extends { destroy(): void }>(client: Client): Client {
    this.made.push(client);
    return client;
  }

  private options() {
    return {
      region: this.config.aws_region,
      endpoint: this.settings.endpoint,
      credentials: this.credentials,
      ...sdkOptions(),
    };
  }
}
