import type { TaskDefinition } from '@aws-sdk/client-ecs';

/** Containers that ECS adds to a task for features of its own. */
const ADDED_BY_ECS = /^(?:ecs-service-connect-|aws-guardduty-agent-|~internal~)/;

/** Names of the containers that a task's owner put there. */
export const ownContainers = (names: readonly string[]): string[] => names.filter((name) => !ADDED_BY_ECS.test(name));

/** The container that is meant when nothing is said: the only one, or the one with the service's or the family's name. */
export function namedOrOnly(
  names: readonly string[],
  { service, family }: { readonly service: string | null; readonly family: string },
): string | undefined {
  const own = ownContainers(names);
  return own.length === 1 ? own[0] : (own.find((name) => name === service) ?? own.find((name) => name === family));
}

/** The only container whose end ends the task. */
export function onlyEssential({ containerDefinitions = [] }: TaskDefinition): string | undefined {
  const essential = ownContainers(
    containerDefinitions.filter((container) => container.essential !== false).map(({ name = '' }) => name),
  );
  return essential.length === 1 ? essential[0] : undefined;
}
