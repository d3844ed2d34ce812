import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { AwsPlace, AwsSettings } from '../../aws/client-options';
import { awsClientOptions, awsCredentials } from '../../aws/client-options';
import type { ProviderConfig } from '../../contract/provider-config';

/** The SDK's clients, created when first used and shared by all calls of one launcher. */
export class AwsClients {
  private made: { destroy(): void }[] = [];
  private ecsClient: ECSClient | undefined;
  private ec2Client: EC2Client | undefined;
  private logsClient: CloudWatchLogsClient | undefined;
  private readonly place: AwsPlace;
  private readonly settings: AwsSettings;

  constructor(config: ProviderConfig, settings: AwsSettings = {}) {
    const { aws_profile: profile, aws_role_arn: roleArn, aws_region: region } = config;
    this.place = { profile, roleArn, region };
    this.settings = { ...settings, credentials: awsCredentials(this.place, settings) };
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
    return awsClientOptions(this.place, this.settings);
  }
}
