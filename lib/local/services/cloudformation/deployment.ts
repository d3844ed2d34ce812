import type { RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import { instantiate, resourcesOfType } from '../../template/stack';
import type { Stack } from '../../template/stack';
import type { World } from '../../world';
import { taskDefinitions } from '../ecs/task-definitions';
import { definitionFromTemplate } from '../ecs/template-definition';

/** The stack as CloudFormation knows it. */
export interface Deployment {
  readonly stack: Stack;
  /** When the endpoint first loaded the stack. */
  readonly createdAt: Date;
  /** When its template last changed; undefined if it never has. */
  readonly updatedAt: Date | undefined;
}

interface DeploymentRecord {
  readonly templateHash: string;
  readonly created: Date;
  readonly updated?: Date;
}

export function deployment(world: World): Deployment {
  const stack = deploy(world);
  const { created, updated } = noteDeployment(world);
  return { stack, createdAt: created, updatedAt: updated };
}

/** Registers the template's task definitions and instantiates the stack around their revisions. */
function deploy(world: World): Stack {
  const { assembly, place, iam } = world;
  const definitions = world.part(taskDefinitions);
  const registeredBy = iam.credentials.administrator.principal.arn;
  const revisions: Record<string, number> = {};
  const first = instantiate(assembly.template, { place });
  for (const { logicalId, properties } of resourcesOfType(first, 'AWS::ECS::TaskDefinition')) {
    const request: RegisterTaskDefinitionRequest = definitionFromTemplate(properties, logicalId);
    revisions[logicalId] = definitions.registerFromTemplate(request, registeredBy).definition.revision ?? 1;
  }
  return instantiate(assembly.template, { place, revisions });
}

function noteDeployment({ store, clock, assembly }: World): DeploymentRecord {
  const deployments = store.collection<DeploymentRecord>('deployments');
  const templateHash = JSON.stringify(assembly.template);
  const known = deployments.get('stack');
  if (known?.templateHash === templateHash) return known;
  const now = clock.now();
  const record: DeploymentRecord =
    known === undefined ? { templateHash, created: now } : { templateHash, created: known.created, updated: now };
  deployments.set('stack', record);
  return record;
}
