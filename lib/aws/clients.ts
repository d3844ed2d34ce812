import { ECSClient } from '@aws-sdk/client-ecs';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { AwsPlace, AwsSettings } from './client-options';
import { awsClientOptions, awsCredentials } from './client-options';
import type { ProviderConfig } from '../contract/provider-config';
import type { CloudTrailApi } from './cloudtrail-api';
import type { Ec2Api } from './ec2-api';
import type { IamApi } from './iam-api';
import type { LogsApi } from './logs-api';
import type { StsApi } from './sts-api';

/** The SDK's clients, created when first used and shared by all calls that are made with these settings. */
export class AwsClients {
  private made: { destroy(): void }[] = [];
  private ecsClient: ECSClient | undefined;
  private ec2Api: Promise<Ec2Api> | undefined;
  private logsApi: Promise<LogsApi> | undefined;
  private iamApi: Promise<IamApi> | undefined;
  private cloudTrailApi: Promise<CloudTrailApi> | undefined;
  private stsApi: Promise<StsApi> | undefined;
  private ssmClient: Promise<SSMClient> | undefined;
  private kmsClient: Promise<KMSClient> | undefined;
  private readonly place: AwsPlace;
  private readonly settings: AwsSettings;

  constructor(config: Pick<ProviderConfig, 'aws_profile' | 'aws_role_arn' | 'aws_region'>, settings: AwsSettings = {}) {
    const { aws_profile: profile, aws_role_arn: roleArn, aws_region: region } = config;
    this.place = { profile, roleArn, region };
    this.settings = { ...settings, credentials: awsCredentials(this.place, settings) };
  }

  get ecs(): ECSClient {
    return (this.ecsClient ??= this.keep(new ECSClient(this.options())));
  }

  ec2(): Promise<Ec2Api> {
    return (this.ec2Api ??= import('./ec2-api.js').then(({ Ec2Api }) => this.keep(new Ec2Api(this.options()))));
  }

  logs(): Promise<LogsApi> {
    return (this.logsApi ??= import('./logs-api.js').then(({ LogsApi }) => this.keep(new LogsApi(this.options()))));
  }

  iam(): Promise<IamApi> {
    return (this.iamApi ??= import('./iam-api.js').then(({ IamApi }) => this.keep(new IamApi(this.options()))));
  }

  cloudTrail(): Promise<CloudTrailApi> {
    return (this.cloudTrailApi ??= import('./cloudtrail-api.js').then(({ CloudTrailApi }) =>
      this.keep(new CloudTrailApi(this.options())),
    ));
  }

  sts(): Promise<StsApi> {
    return (this.stsApi ??= import('./sts-api.js').then(({ StsApi }) => this.keep(new StsApi(this.options()))));
  }

  ssm(): Promise<SSMClient> {
    return (this.ssmClient ??= import('./ssm-client.js').then(({ SSMClient }) =>
      this.keep(new SSMClient(this.options())),
    ));
  }

  kms(): Promise<KMSClient> {
    return (this.kmsClient ??= import('./kms-client.js').then(({ KMSClient }) =>
      this.keep(new KMSClient(this.options())),
    ));
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
