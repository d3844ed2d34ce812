import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { clientError } from './errors';

const CONDITIONS: readonly string[] = ['START', 'COMPLETE', 'SUCCESS', 'HEALTHY'];

/** Throws ECS's error for dependencies that could never be met (ECS API, ContainerDependency). */
export function validateDependencies(containers: readonly ContainerDefinition[]): void {
  const byName = new Map(containers.map((container) => [container.name ?? '', container]));
  for (const { name, dependsOn = [] } of containers) {
    for (const { containerName = '', condition = '' } of dependsOn) {
      const other = byName.get(containerName);
      if (other === undefined || containerName === name) {
        throw clientError(
          `The container ${name} can not depend on ${containerName}: there is no other container with that name.`,
        );
      }
      if (!CONDITIONS.includes(condition)) {
        throw clientError(`Unknown condition ${condition} of ${name}: it is one of ${CONDITIONS.join(', ')}.`);
      }
      if (condition === 'HEALTHY' && other.healthCheck === undefined) {
        throw clientError(`The container ${name} depends on ${containerName} being HEALTHY, which has no healthCheck.`);
      }
      if ((condition === 'COMPLETE' || condition === 'SUCCESS') && other.essential !== false) {
        throw clientError(`The condition ${condition} of ${name} can not be on ${containerName}, which is essential.`);
      }
    }
  }
  const path: string[] = [];
  const visit = (name: string): void => {
    if (path.includes(name)) throw clientError(`Circular container dependencies: ${[...path, name].join(' -> ')}.`);
    path.push(name);
    for (const { containerName = '' } of byName.get(name)?.dependsOn ?? []) visit(containerName);
    path.pop();
  };
  for (const name of byName.keys()) visit(name);
}

/** Names of the containers that wait for this one, and so are stopped before it. */
export const dependentsOf = (name: string | undefined, containers: readonly ContainerDefinition[]): readonly string[] =>
  containers
    .filter(({ dependsOn = [] }) => dependsOn.some(({ containerName }) => containerName === name))
    .map((container) => container.name ?? '');
