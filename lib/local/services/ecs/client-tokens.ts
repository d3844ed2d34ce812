import { createHash } from 'node:crypto';
import type { RunTaskRequest } from '@aws-sdk/client-ecs';
import type { Clock } from '../../state/clock';
import { AwsError } from '../../wire/aws-error';
import { stringify } from '../../state/json-dates';
import type { Collection, Store } from '../../state/store';

/** How long a token stands for the call that first used it (ECS API, "Ensuring idempotency"). Milliseconds. */
const TOKEN_LIFETIME = 24 * 3600_000;

interface UsedToken {
  readonly parameters: string;
  readonly taskIds: readonly string[];
  readonly taskArns: readonly string[];
  readonly usedAt: number;
}

/** Client tokens of RunTask. */
export class ClientTokens {
  private readonly used: Collection<UsedToken>;

  constructor(
    store: Store,
    private readonly clock: Clock,
  ) {
    this.used = store.collection<UsedToken>('clientTokens');
  }

  /**
   * Ids of the tasks that the same call with the same token made before; undefined when it is new.
   * Throws ConflictException when the token came with other parameters.
   */
  replay(cluster: string, request: RunTaskRequest): readonly string[] | undefined {
    const used = request.clientToken === undefined ? undefined : this.used.get(`${cluster}/${request.clientToken}`);
    if (used === undefined || used.usedAt < this.clock.now().getTime() - TOKEN_LIFETIME) return undefined;
    if (used.parameters === parametersOf(request)) return used.taskIds;
    throw new AwsError('ConflictException', 'The clientToken was used before with different parameters.', {
      members: { resourceIds: used.taskArns },
    });
  }

  remember(
    cluster: string,
    request: RunTaskRequest,
    tasks: readonly { readonly id: string; readonly arn: string }[],
  ): void {
    if (request.clientToken === undefined || tasks.length === 0) return;
    this.forgetOld();
    this.used.set(`${cluster}/${request.clientToken}`, {
      parameters: parametersOf(request),
      taskIds: tasks.map(({ id }) => id),
      taskArns: tasks.map(({ arn }) => arn),
      usedAt: this.clock.now().getTime(),
    });
  }

  private forgetOld(): void {
    const limit = this.clock.now().getTime() - TOKEN_LIFETIME;
    for (const [key, { usedAt }] of this.used.entries()) if (usedAt < limit) this.used.delete(key);
  }
}

/** The call's parameters in an order of their own, as a hash. */
function parametersOf({ clientToken: _, ...parameters }: RunTaskRequest): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null || value instanceof Date) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, sorted(item)]),
    );
  };
  return createHash('sha256')
    .update(stringify(sorted(parameters)))
    .digest('hex');
}
