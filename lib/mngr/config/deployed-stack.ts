import { MngrFargateError } from '../../contract/errors';
import { DEFAULT_STACK_NAME } from '../../contract/outputs';
import { providerConfigSchema } from '../../contract/provider-config';
import { settingFromText } from './provider-key';
import type { Settings } from './settings';
import { settingText } from './settings';
import type { StackLookup } from './stack-lookup';
import type { StackOutputs, StackPart } from './stack-outputs';
import { hasSandboxes, isEnvironment, settingsOfOutputs } from './stack-outputs';

/** The region to work in, and where it comes from when the settings don't say. */
export interface RegionChoice {
  readonly region: string;
  /** The region as a setting of its own, when the SDK gave it. */
  readonly settings: Settings;
}

/** The settings' region, else the SDK's (AWS_REGION, the AWS profile's region), else the schema's default. */
export async function chooseRegion(settings: Settings, lookup: StackLookup): Promise<RegionChoice> {
  const configured = settingText(settings, 'aws_region');
  if (configured !== undefined) return { region: configured, settings: new Map() };
  const found = await lookup.region(settingText(settings, 'aws_profile'));
  if (found === undefined)
    return { region: providerConfigSchema.shape.aws_region.parse(undefined), settings: new Map() };
  return {
    region: found,
    settings: new Map([['aws_region', { value: found, source: 'AWS_REGION or the AWS profile' }]]),
  };
}

const settingsIn = (outputs: StackOutputs['outputs'], part: StackPart, place: string): Settings =>
  new Map(
    settingsOfOutputs(outputs, part).map(({ key, text, output }) => [
      key,
      { value: settingFromText(key, text), source: `output ${output} of ${place}` },
    ]),
  );

/** The settings that a stack's outputs hold. `place` says which stack, in words. */
export const settingsOfStack = ({ stackName, outputs }: StackOutputs, place = `stack ${stackName}`): Settings =>
  settingsIn(outputs, 'hosts', place);

/** What the outputs of sandboxes leave out, since it is the same in every stack. */
const OF_SANDBOXES: Settings = new Map([
  ['assign_public_ip', { value: false, source: 'sandboxes, which have no public address' }],
]);

/** The settings of a stack's sandboxes. */
const settingsOfSandboxes = ({ outputs }: StackOutputs, place: string): Settings =>
  new Map([...settingsIn(outputs, 'sandboxes', place), ...OF_SANDBOXES]);

export interface DeployedStackRequest {
  /** Default: the name that `cdk deploy` gives. */
  readonly stack?: string;
  readonly region: string;
  /** AWS profile to ask with. */
  readonly profile?: string;
  readonly lookup: StackLookup;
  /** Default `hosts`. */
  readonly part?: StackPart;
  readonly signal?: AbortSignal;
}

/**
 * The settings of a deployed stack; undefined when the default stack isn't there. Throws `not-found` for a named stack
 * that doesn't exist, `usage` for a stack that is not an environment or lacks the part, `denied` if it may not be read.
 */
export async function settingsOfDeployedStack(request: DeployedStackRequest): Promise<Settings | undefined> {
  const { stack, region, profile, lookup, part = 'hosts', signal } = request;
  const stackName = stack ?? DEFAULT_STACK_NAME;
  const found = await lookup.outputs(stackName, { region, profile }, signal);
  const place = `stack ${stackName} (${region})`;
  if (found !== undefined && isEnvironment(found.outputs)) {
    if (part === 'hosts') return settingsOfStack(found, place);
    if (hasSandboxes(found.outputs)) return settingsOfSandboxes(found, place);
    throw new MngrFargateError('usage', `${place} has no sandboxes, only agents' hosts, whose tasks have a role`, {
      hint: 'deploy it with "npx cdk deploy -c sandbox=true"',
    });
  }
  if (found !== undefined) {
    throw new MngrFargateError('usage', `${place} has no outputs of an mngr-fargate environment`, {
      hint: 'name the stack that "cdk deploy" made with --stack',
    });
  }
  if (stack === undefined) return undefined;
  throw new MngrFargateError('not-found', `stack ${stackName} does not exist in ${region}`, {
    hint: 'give its region with --region, or another name with --stack',
  });
}
