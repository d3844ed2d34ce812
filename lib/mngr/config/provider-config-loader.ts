import type { AwsSettings } from '../../aws/client-options';
import { MngrFargateError } from '../../contract/errors';
import { isProviderName } from '../../contract/host-name';
import { DEFAULT_STACK_NAME } from '../../contract/outputs';
import type { ProviderConfig } from '../../contract/provider-config';
import { configFileOf } from './base-directory';
import { chooseRegion, settingsOfDeployedStack } from './deployed-stack';
import type { ProviderKey } from './provider-key';
import type { Settings } from './settings';
import { checkedConfig, mergedSettings, settingText } from './settings';
import type { Override } from './settings-sources';
import { settingsOfEnvironment, settingsOfFile, settingsOfOverrides } from './settings-sources';
import type { StackLookup } from './stack-lookup';
import type { StackPart } from './stack-outputs';
import { awsStackLookup } from './stack-lookup';

export interface LoadRequest {
  readonly baseDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Name of the block. Default `fargate`. */
  readonly provider?: string;
  readonly overrides?: readonly Override[];
  /** Stack to take the settings from instead of the block. Default: the default stack, if nothing is configured. */
  readonly stack?: string;
  /** Which of the stack's tasks the settings are for. Default `hosts`. */
  readonly part?: StackPart;
  /** How CloudFormation is reached. Default: as this machine's AWS configuration says. */
  readonly aws?: AwsSettings;
  /** Default: CloudFormation through the AWS SDK. */
  readonly stackLookup?: StackLookup;
  readonly signal?: AbortSignal;
}

export interface LoadedProviderConfig {
  readonly provider: string;
  /** The config.toml that was read, whether or not it exists. */
  readonly file: string;
  readonly config: ProviderConfig;
  /** Where each value comes from; keys with their default value, or without a value, are left out. */
  readonly sources: Readonly<Partial<Record<ProviderKey, string>>>;
}

function checkProviderName(provider: string): void {
  if (isProviderName(provider)) return;
  throw new MngrFargateError('usage', `${JSON.stringify(provider)} is not a provider name`, {
    hint: 'use letters, digits, "-" and "_", at most 49 of them',
  });
}

/**
 * The configuration of a provider. Each key comes from the first of: command line, environment (`MNGR_FARGATE_<KEY>`),
 * the stack named on the command line, the `[providers.NAME]` block, the default stack (asked only where there is no
 * block and no subnets are set), the AWS SDK's region, the schema's default.
 */
export async function loadProviderConfig(request: LoadRequest): Promise<LoadedProviderConfig> {
  const { baseDirectory, environment, provider = 'fargate', overrides = [], stack, part, signal } = request;
  checkProviderName(provider);
  const lookup = request.stackLookup ?? awsStackLookup(request.aws);
  const file = configFileOf(baseDirectory);
  const given = mergedSettings([settingsOfOverrides(overrides), settingsOfEnvironment(environment)]);
  const block = await settingsOfFile(file, provider);
  const configured = mergedSettings([given, block]);
  const { region, settings: sdkRegion } = await chooseRegion(configured, lookup);

  let outputs: Settings | undefined;
  if (stack !== undefined || (block === undefined && !given.has('subnets'))) {
    const profile = settingText(configured, 'aws_profile');
    outputs = await settingsOfDeployedStack({ stack, region, profile, lookup, part, signal });
    if (outputs === undefined) throw nothingConfigured(file, provider, region);
  }
  const layers = stack === undefined ? [given, block, outputs, sdkRegion] : [given, outputs, block, sdkRegion];
  const settings = mergedSettings(layers);
  const sources = Object.fromEntries([...settings].map(([key, { source }]) => [key, source]));
  return { provider, file, config: checkedConfig(settings), sources };
}

/** What a deployed stack gives a provider block (`config write`). Throws `not-found` when there is no such stack. */
export async function deployedSettings(request: LoadRequest): Promise<Settings> {
  const { baseDirectory, environment, provider = 'fargate', overrides = [], signal } = request;
  checkProviderName(provider);
  const lookup = request.stackLookup ?? awsStackLookup(request.aws);
  const around = mergedSettings([
    settingsOfOverrides(overrides),
    settingsOfEnvironment(environment),
    await settingsOfFile(configFileOf(baseDirectory), provider),
  ]);
  const { region } = await chooseRegion(around, lookup);
  const profile = settingText(around, 'aws_profile');
  const stack = request.stack ?? DEFAULT_STACK_NAME;
  // A named stack that isn't there is an error, so there are settings.
  return (await settingsOfDeployedStack({ stack, region, profile, lookup, signal })) ?? new Map();
}

function nothingConfigured(file: string, provider: string, region: string): MngrFargateError {
  const missing = `no [providers.${provider}] in ${file}, and no stack ${DEFAULT_STACK_NAME} in ${region}`;
  return new MngrFargateError('usage', `nothing is configured: ${missing}`, {
    hint: 'deploy with "npx cdk deploy", name the region with --region or the stack with --stack, or try "mngr-fargate local up"',
    details: { file, provider, region, stack: DEFAULT_STACK_NAME },
  });
}
