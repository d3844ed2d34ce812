import type { AwsPlace } from '../../aws/client-options';
import { configFileOf } from './base-directory';
import { chooseRegion } from './deployed-stack';
import type { LoadRequest } from './provider-config-loader';
import { loadProviderConfig } from './provider-config-loader';
import { mergedSettings, settingText } from './settings';
import { settingsOfEnvironment, settingsOfFile, settingsOfOverrides } from './settings-sources';
import { awsStackLookup } from './stack-lookup';

/** Where tasks are looked for, and with which credentials. */
export interface TaskPlace extends AwsPlace {
  readonly region: string;
  /** Undefined where nothing names one. */
  readonly cluster?: string;
}

/**
 * Where any ECS task is looked for. Command line and environment come first, then `named` (what an ARN or a named
 * target says), then region, profile and cluster of the provider block. The block's role isn't used, because it only
 * reaches the environment's own tasks. CloudFormation isn't called.
 */
export async function loadTaskPlace(request: LoadRequest, named: Partial<TaskPlace> = {}): Promise<TaskPlace> {
  const { baseDirectory, environment, provider = 'fargate', overrides = [] } = request;
  const given = mergedSettings([settingsOfOverrides(overrides), settingsOfEnvironment(environment)]);
  const block = await settingsOfFile(configFileOf(baseDirectory), provider);
  const configured = mergedSettings([given, block]);
  const region =
    named.region ?? (await chooseRegion(configured, request.stackLookup ?? awsStackLookup(request.aws))).region;
  return {
    region,
    profile: settingText(given, 'aws_profile') ?? named.profile ?? settingText(configured, 'aws_profile'),
    roleArn: settingText(given, 'aws_role_arn') ?? named.roleArn,
    cluster: named.cluster ?? settingText(configured, 'ecs_cluster'),
  };
}

/** The cluster of the provider, from its block or its stack. Throws `usage` where nothing is configured. */
export const providerCluster = async (request: LoadRequest): Promise<string> =>
  (await loadProviderConfig(request)).config.ecs_cluster;
