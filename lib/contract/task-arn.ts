/** Where a task runs, as its ARN says. */
export interface TaskPlace {
  readonly region: string;
  readonly account: string;
  /** Name of the cluster. */
  readonly cluster: string;
}

/** The parts of `arn:PARTITION:ecs:REGION:ACCOUNT:task/CLUSTER/ID`; undefined for anything else. */
export function parseTaskArn(arn: string): TaskPlace | undefined {
  const [, region, account, cluster] = /^arn:[\w-]+:ecs:([\w-]+):(\d{12}):task\/([^/]+)\/[^/]+$/.exec(arn) ?? [];
  if (region === undefined || account === undefined || cluster === undefined) return undefined;
  return { region, account, cluster };
}

/** A cluster's name from its name or its ARN. */
export const clusterNameOf = (cluster: string): string => cluster.split('/').pop() as string;
