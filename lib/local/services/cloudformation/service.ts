import * as sdk from '@aws-sdk/client-cloudformation';
import type {
  DescribeStackResourcesInput,
  DescribeStackResourcesOutput,
  DescribeStacksInput,
  DescribeStacksOutput,
  ListStacksInput,
  ListStacksOutput,
  Stack as StackView,
} from '@aws-sdk/client-cloudformation';
import type { AccessRequest } from '../../iam/policy';
import { AwsError } from '../../wire/aws-error';
import { awsQuery } from '../../wire/query';
import { operationsOf } from '../../wire/schemas';
import type { Call, Service } from '../service';
import type { Stack } from '../../template/stack';
import type { World } from '../../world';
import { deployment } from './deployment';
import type { Deployment } from './deployment';

const validationError = (message: string): AwsError => new AwsError('ValidationError', message);

const isStack = (stack: Stack, nameOrId: string): boolean => nameOrId === stack.name || nameOrId === stack.id;

const missing = (name: string): AwsError => validationError(`Stack with id ${name} does not exist`);

/** The resource of a permission on a stack that may not exist, and its name in a refusal. */
function resourceOf(stack: Stack, name: string | undefined): Pick<AccessRequest, 'resource' | 'namedResource'> {
  if (name === undefined) return { resource: '*' };
  if (name.startsWith('arn:')) return { resource: name };
  const { region, accountId } = stack.place;
  const namedResource = `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/*`;
  return { resource: isStack(stack, name) ? stack.id : namedResource, namedResource };
}

function stackView({ stack, createdAt, updatedAt }: Deployment): StackView {
  return {
    StackName: stack.name,
    StackId: stack.id,
    Description: stack.description,
    CreationTime: createdAt,
    LastUpdatedTime: updatedAt,
    StackStatus: updatedAt === undefined ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE',
    DisableRollback: false,
    Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'],
    NotificationARNs: [],
    Parameters: [...stack.parameters].map(([key, value]) => ({ ParameterKey: key, ParameterValue: String(value) })),
    Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
      ExportName: exportName,
    })),
    Tags: [],
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  };
}

/** AWS CloudFormation: what was deployed, which here is the synthesized template. */
export function cloudFormationService(world: World): Service {
  return {
    signingName: 'cloudformation',
    protocol: awsQuery({
      version: '2010-05-15',
      xmlNamespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    }),
    operations: operationsOf(sdk),
    errors: {
      missingMembers: (paths) =>
        validationError(
          paths
            .map((path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`)
            .join('; '),
        ),
      accessDenied: (message) => new AwsError('AccessDenied', message, { status: 403 }),
      throttled: () => new AwsError('Throttling', 'Rate exceeded'),
    },
    handlers: handlersOf(world.part(deployment)),
  };
}

function handlersOf(deployed: Deployment): Service['handlers'] {
  const { stack } = deployed;
  return {
    DescribeStacks: ({ StackName }: DescribeStacksInput, call: Call): DescribeStacksOutput => {
      call.authorize({ action: 'cloudformation:DescribeStacks', ...resourceOf(stack, StackName), context: {} });
      if (StackName !== undefined && !isStack(stack, StackName)) throw missing(StackName);
      return { Stacks: [stackView(deployed)] };
    },
    ListStacks: ({ StackStatusFilter = [] }: ListStacksInput, call: Call): ListStacksOutput => {
      call.authorize({ action: 'cloudformation:ListStacks', resource: '*', context: {} });
      const { StackName, StackId, CreationTime, LastUpdatedTime, StackStatus } = stackView(deployed);
      const wanted =
        StackStatusFilter.length === 0 || (StackStatus !== undefined && StackStatusFilter.includes(StackStatus));
      return {
        StackSummaries: wanted ? [{ StackName, StackId, CreationTime, LastUpdatedTime, StackStatus }] : [],
      };
    },
    DescribeStackResources: (
      { StackName, LogicalResourceId, PhysicalResourceId }: DescribeStackResourcesInput,
      call: Call,
    ): DescribeStackResourcesOutput => {
      const resources = [...stack.resources.values()];
      const owns = PhysicalResourceId !== undefined && resources.some((one) => one.physicalId === PhysicalResourceId);
      const name = StackName ?? (owns ? stack.name : undefined);
      call.authorize({
        action: 'cloudformation:DescribeStackResources',
        resource: resourceOf(stack, name ?? '*').resource,
        namedResource: resourceOf(stack, StackName ?? '*').namedResource,
        context: {},
      });
      if (name === undefined || !isStack(stack, name)) {
        throw missing(name ?? PhysicalResourceId ?? '');
      }
      return {
        StackResources: resources
          .filter(({ logicalId }) => LogicalResourceId === undefined || logicalId === LogicalResourceId)
          .map(({ logicalId, physicalId, type }) => ({
            StackName: stack.name,
            StackId: stack.id,
            LogicalResourceId: logicalId,
            PhysicalResourceId: physicalId,
            ResourceType: type,
            Timestamp: deployed.updatedAt ?? deployed.createdAt,
            ResourceStatus: 'CREATE_COMPLETE' as const,
            DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' as const },
          })),
      };
    },
  };
}
