/** The family of a family's name, a `family:revision` or a task definition ARN. It is also the name of the environment. */
export const familyOf = (taskDefinition: string): string =>
  (taskDefinition.split('/').pop() as string).split(':')[0] as string;
