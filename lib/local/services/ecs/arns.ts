import type { Place } from '../../template/physical';

/** Cluster that an ECS call means when it names none. */
export const DEFAULT_CLUSTER = 'default';

/** ARNs of one account and region's ECS resources. */
export class EcsArns {
  constructor(private readonly place: Pick<Place, 'region' | 'accountId'>) {}

  private of(resource: string): string {
    return `arn:aws:ecs:${this.place.region}:${this.place.accountId}:${resource}`;
  }

  /** Of the cluster that a call names, whether it exists or not. */
  clusterNamed(nameOrArn: string | undefined): string {
    return nameOrArn?.startsWith('arn:') === true ? nameOrArn : this.cluster(nameOrArn ?? DEFAULT_CLUSTER);
  }

  cluster(name: string): string {
    return this.of(`cluster/${name}`);
  }

  task(cluster: string, id: string): string {
    return this.of(`task/${cluster}/${id}`);
  }

  service(cluster: string, name: string): string {
    return this.of(`service/${cluster}/${name}`);
  }

  container(cluster: string, taskId: string, containerId: string): string {
    return this.of(`container/${cluster}/${taskId}/${containerId}`);
  }

  containerInstances(cluster: string): string {
    return this.of(`container-instance/${cluster}/*`);
  }

  attachment(id: string): string {
    return this.of(`attachment/${id}`);
  }

  /** Of the task definition that a call names by family, family and revision, or ARN, whether it exists or not. */
  taskDefinitionNamed(reference: string): string {
    if (reference.startsWith('arn:')) return reference;
    return this.of(`task-definition/${/:\d+$/.test(reference) ? reference : `${reference}:*`}`);
  }

  taskDefinition(family: string, revision: number | '*'): string {
    return this.of(`task-definition/${family}:${revision}`);
  }
}

/** Last part of an ARN or the text itself: ECS takes names and ARNs alike. */
export const nameFrom = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;
