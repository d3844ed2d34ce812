/**
 * The combinations of cpu and memory that Fargate supports on Linux, in CPU units and MiB
 * (ECS developer guide, "Task CPU and memory"; ECS API, RegisterTaskDefinition).
 */
const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

/** MiB. */
const GIB = 1024;

export const FARGATE_SIZES: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [512, 1 * GIB, 2 * GIB]],
  [512, range(1 * GIB, 4 * GIB, GIB)],
  [1024, range(2 * GIB, 8 * GIB, GIB)],
  [2048, range(4 * GIB, 16 * GIB, GIB)],
  [4096, range(8 * GIB, 30 * GIB, GIB)],
  [8192, range(16 * GIB, 60 * GIB, 4 * GIB)],
  [16384, range(32 * GIB, 120 * GIB, 8 * GIB)],
]);

/** Ephemeral storage that every Fargate task includes, and the range that can be requested, in GiB. */
export const EPHEMERAL_STORAGE = { included: 20, min: 21, max: 200 } as const;

/** An error message that says which values are allowed; undefined if Fargate supports the cpu/memory pair. */
export function fargateSizeProblem(cpu: number, memory: number): string | undefined {
  const memories = FARGATE_SIZES.get(cpu);
  if (memories === undefined) {
    return `cpu ${cpu} is not a Fargate size: use one of ${[...FARGATE_SIZES.keys()].join(', ')}`;
  }
  if (memories.includes(memory)) return undefined;
  const first = memories[0] as number;
  const step = (memories[1] as number) - first;
  const last = memories[memories.length - 1] as number;
  const allowed = cpu === 256 ? memories.join(', ') : `${first} to ${last} in steps of ${step}`;
  return `memory ${memory} MiB does not go with cpu ${cpu}: use ${allowed}`;
}

/** An error message for an ephemeral storage size in GiB; undefined if Fargate supports it. */
export function ephemeralStorageProblem(gib: number): string | undefined {
  const { included, min, max } = EPHEMERAL_STORAGE;
  if (gib === included || (Number.isInteger(gib) && gib >= min && gib <= max)) return undefined;
  return `ephemeral storage of ${gib} GiB is not possible: use ${min} to ${max}, or leave it out for ${included}`;
}

/** The smallest size that has at least so much of both, in CPU units and MiB; undefined if even the largest has less. */
export function smallestFargateSize(
  cpu: number,
  memory: number,
): { readonly cpu: number; readonly memory: number } | undefined {
  for (const [units, memories] of FARGATE_SIZES) {
    const enough = memories.find((mebibytes) => mebibytes >= memory);
    if (units >= cpu && enough !== undefined) return { cpu: units, memory: enough };
  }
  return undefined;
}
