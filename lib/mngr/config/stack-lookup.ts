import type { AwsSettings } from '../../aws/client-options';
import { MngrFargateError } from '../../contract/errors';
import { awsProblem } from '../../aws/aws-errors';
import type { StackOutputs } from './stack-outputs';

/** Which AWS account and region to look in; the SDK's own resolution where a field is absent. */
export interface AwsTarget {
  readonly region?: string;
  readonly profile?: string;
}

export interface StackLookup {
  /** The region that the SDK finds (AWS_REGION, the profile's region); undefined when it finds none. */
  region(profile?: string): Promise<string | undefined>;
  /** The stack's outputs; undefined when there is no such stack in that account and region. */
  outputs(stackName: string, target: AwsTarget, signal?: AbortSignal): Promise<StackOutputs | undefined>;
}

const DENIED_HINT =
  'check with "aws sts get-caller-identity"; describing the stack needs cloudformation:DescribeStacks';

function lookupError(stackName: string, region: string | undefined, problem: MngrFargateError): MngrFargateError {
  return new MngrFargateError(problem.code, problem.message, {
    cause: problem.cause,
    hint: problem.code === 'denied' && problem.details.awsError !== undefined ? DENIED_HINT : problem.hint,
    details: { ...problem.details, stackName, region },
  });
}

/** CloudFormation has no separate error name for a stack that doesn't exist. */
const isNoSuchStack = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ValidationError' && /^Stack .*does not exist$/.test(error.message);

/** Reads stacks with the AWS SDK. It is loaded on first use. */
export const awsStackLookup = (settings: AwsSettings = {}): StackLookup => ({
  async region(profile) {
    const { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } =
      await import('@smithy/core/config');
    const options =
      profile === undefined ? NODE_REGION_CONFIG_FILE_OPTIONS : { ...NODE_REGION_CONFIG_FILE_OPTIONS, profile };
    return loadConfig(NODE_REGION_CONFIG_OPTIONS, options)().catch(() => undefined);
  },

  async outputs(stackName, target, signal) {
    const { CloudFormationClient, DescribeStacksCommand } = await import('./cloudformation-client.js');
    const { awsClientOptions } = await import('../../aws/client-options.js');
    const client = new CloudFormationClient(awsClientOptions(target, settings));
    try {
      const { Stacks: stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }), {
        abortSignal: signal,
      });
      const outputs = stacks?.[0]?.Outputs ?? [];
      return {
        stackName,
        outputs: Object.fromEntries(outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? ''])),
      };
    } catch (error) {
      if (!signal?.aborted && isNoSuchStack(error)) return undefined;
      throw lookupError(stackName, target.region, awsProblem(error, `read stack ${stackName}`, signal));
    } finally {
      client.destroy();
    }
  },
});
