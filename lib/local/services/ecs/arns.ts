import type { Place } from '../../template/physical';

/** ARNs of one account and region's ECS resources. */
export class EcsArns {
  constructor(private readonly place: Pick<Place, 'region' | 'accountId'>) {}

  private of(resource: string): string {
    return `arn:aws:ecs:${this.place.region}:${this.place.accountId}:${resource}`;
  }

  cluster(name: string): string {
    return this.of(`cluster/${name}`);
  }

  task(cluster: string, id: string): string {
    return this.of(`task/${cluster}/${id}`);
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

  taskDefinition(family: string, revision: number | '*'): string {
    return this.of(`task-definition/${family}:${revision}`);
  }
}

/** Last part of an ARN or the text itself: ECS takes names and ARNs alike. */
export const nameFrom = (nameOrArn: string): string => nameOrArn.split('/').at(-1) ?? nameOrArn;
