import type { CreateServiceRequest } from '@aws-sdk/client-ecs';
import * as sdk from '@aws-sdk/client-ecs';
import { stringify } from '../../../state/json-dates';
import { TemplateError } from '../../../template/intrinsics';
import { resourcesOfType } from '../../../template/stack';
import type { StackResource } from '../../../template/stack';
import { AwsError } from '../../../wire/aws-error';
import type { World } from '../../../world';
import { nameFrom } from '../arns';
import type { EcsContext } from '../context';
import { apiForm } from '../template-form';
import { templateTags } from '../template-clusters';
import { applyUpdate, drain, newService } from './changes';
import type { ServiceRecord } from './record';
import { validateCreateService } from './request';

/** CloudFormation starts one task of a service that doesn't say how many. */
const DEFAULT_DESIRED_COUNT = 1;

function requestOf({ attributes, properties }: StackResource): CreateServiceRequest {
  const request = apiForm(sdk.CreateServiceRequest$, { ...properties, Tags: undefined }) as CreateServiceRequest;
  return {
    ...request,
    serviceName: String(attributes.Name),
    desiredCount: request.desiredCount ?? DEFAULT_DESIRED_COUNT,
    tags: templateTags(properties.Tags),
  };
}

/**
 * Brings the services of the template to what it says: makes new ones, updates those whose resource has changed, and
 * ends those that it no longer has. A service that calls have changed since keeps those changes, as in a stack. Throws
 * TemplateError if one can't be created.
 */
export function deployServices(world: World, context: EcsContext): void {
  const { services } = context;
  const resources = resourcesOfType(world.stack, 'AWS::ECS::Service');
  const wanted = new Set<ServiceRecord>();
  for (const resource of resources) {
    try {
      wanted.add(deploy(world, context, resource));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new TemplateError(`the service ${resource.logicalId} can't be made: ${error.message}`);
    }
  }
  for (const record of services.all()) {
    if (record.template !== undefined && record.status === 'ACTIVE' && !wanted.has(record)) drain(context, record);
  }
}

function deploy(world: World, context: EcsContext, resource: StackResource): ServiceRecord {
  const { arns, services } = context;
  const request = requestOf(resource);
  const template = { logicalId: resource.logicalId, properties: stringify(request) };
  const cluster = nameFrom(arns.clusterNamed(request.cluster));
  const present = services.find(cluster, request.serviceName ?? '');
  if (present?.template?.properties === template.properties) return present;
  // There is no load balancer in front of the tasks here (docs/local.md); DescribeServices still shows what the
  // template says.
  validateCreateService({ ...request, loadBalancers: undefined });
  if (present?.status === 'ACTIVE') {
    applyUpdate(context, present, { ...request, service: present.name });
    const updated = { ...present, template };
    services.save(updated);
    return updated;
  }
  const created = { ...newService(context, request, world.iam.credentials.administrator.principal.arn), template };
  services.save(created);
  return created;
}
