import type { RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import * as sdk from '@aws-sdk/client-ecs';
import { TemplateError } from '../../template/intrinsics';
import { apiForm } from './template-form';

/** What CloudFormation asks ECS to register for an `AWS::ECS::TaskDefinition`. Throws TemplateError without a family. */
export function definitionFromTemplate(
  properties: Readonly<Record<string, unknown>>,
  logicalId: string,
): RegisterTaskDefinitionRequest {
  const request = apiForm(sdk.RegisterTaskDefinitionRequest$, properties) as RegisterTaskDefinitionRequest;
  if (request.family === undefined) throw new TemplateError(`the task definition ${logicalId} needs a Family`);
  return request;
}
