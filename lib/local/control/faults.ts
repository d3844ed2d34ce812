import * as z from 'zod';
import type { TaskFaults } from '../services/ecs/task-record';
import { AwsError } from '../wire/aws-error';
import type { Service } from '../services/service';

/** How often a fault applies; if absent, until it is removed. */
const times = z.int().min(1).optional();

/** Faults on request. Each applies to the next `times` calls or tasks. */
export const faultSchema = z.discriminatedUnion('kind', [
  /** RunTask succeeds with a capacity failure for each task. */
  z.strictObject({ kind: z.literal('capacity'), times, reason: z.string().optional() }),
  /** The call is answered with an error. `afterwards` lets it take effect first: only the answer is lost. */
  z.strictObject({
    kind: z.literal('error'),
    times,
    /** `service:Operation`, for example `ecs:RunTask`. */
    operation: z.string().regex(/^[a-z0-9]+:\w+$/),
    code: z.string(),
    message: z.string().default('an error on request'),
    status: z.int().min(400).max(599).default(400),
    afterwards: z.boolean().default(false),
  }),
  /** The task stops while it is PENDING. */
  z.strictObject({
    kind: z.literal('stop-while-pending'),
    times,
    reason: z.string().default('ResourceInitializationError: an error on request'),
  }),
  /** The image can't be pulled. */
  z.strictObject({
    kind: z.literal('image-pull'),
    times,
    reason: z.string().default('CannotPullContainerError: pull access denied, an error on request'),
  }),
  /** The task's container is killed after a while of RUNNING. */
  z.strictObject({ kind: z.literal('dies'), times, afterMilliseconds: z.int().min(0) }),
  /** The task is RUNNING but nothing answers at its address: no container is started. */
  z.strictObject({ kind: z.literal('no-sshd'), times }),
  /** Somebody else's SSH server answers at the task's address, before its container starts or instead of it. */
  z.strictObject({ kind: z.literal('intruder'), times, mode: z.enum(['before', 'instead']).default('instead') }),
  /** The container shows a proof made with another nonce. */
  z.strictObject({ kind: z.literal('wrong-proof'), times }),
]);

export type Fault = z.infer<typeof faultSchema>;
type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { kind: Kind }>;

interface PlannedFault {
  readonly fault: Fault;
  left: number;
}

/** Fargate's reason for no room (ECS developer guide, "API failure reasons"). */
const NO_CAPACITY = 'Capacity is unavailable at this time. Please try again later or in a different availability zone';

export class FaultPlan {
  private planned: PlannedFault[] = [];

  /** Replaces all faults. */
  set(faults: readonly Fault[]): void {
    this.planned = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
  }

  /** Faults that still apply, and how often; `times` is absent for those without an end. */
  get current(): Fault[] {
    return this.planned.map(({ fault, left }) => ({ ...fault, times: Number.isFinite(left) ? left : undefined }));
  }

  /** Reason for which the next task isn't launched; undefined when it is. */
  takeCapacityFailure(): string | undefined {
    const fault = this.take('capacity', () => true);
    return fault === undefined ? undefined : (fault.reason ?? NO_CAPACITY);
  }

  /** The error that a call is to be answered with. */
  takeError(
    service: Service,
    operation: string,
  ): { readonly error: AwsError; readonly afterwards: boolean } | undefined {
    const fault = this.take('error', (candidate) => candidate.operation === `${service.signingName}:${operation}`);
    if (fault === undefined) return undefined;
    return {
      error: new AwsError(fault.code, fault.message, { status: fault.status }),
      afterwards: fault.afterwards,
    };
  }

  /** The faults of a task that is launched now. */
  takeTaskFaults(): TaskFaults {
    return {
      stopWhilePending: this.take('stop-while-pending')?.reason,
      imagePull: this.take('image-pull')?.reason,
      diesAfter: this.take('dies')?.afterMilliseconds,
      withoutContainer: this.take('no-sshd') === undefined ? undefined : true,
      wrongProof: this.take('wrong-proof') === undefined ? undefined : true,
      intruder: this.take('intruder')?.mode,
    };
  }

  private take<Kind extends Fault['kind']>(
    kind: Kind,
    wanted: (fault: FaultOf<Kind>) => boolean = () => true,
  ): FaultOf<Kind> | undefined {
    const planned = this.planned.find(({ fault }) => fault.kind === kind && wanted(fault as FaultOf<Kind>));
    if (planned === undefined) return undefined;
    planned.left -= 1;
    if (planned.left <= 0) this.planned = this.planned.filter((other) => other !== planned);
    return planned.fault as FaultOf<Kind>;
  }
}
