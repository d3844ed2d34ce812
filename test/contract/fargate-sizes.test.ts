import { FARGATE_SIZES, ephemeralStorageProblem, fargateSizeProblem } from '../../lib/contract/fargate-sizes';

describe('Fargate sizes', () => {
  /** First, last and number of memory sizes per cpu, as the ECS developer guide's table gives them. */
  test.each([
    [256, 512, 2048, 3],
    [512, 1024, 4096, 4],
    [1024, 2048, 8192, 7],
    [2048, 4096, 16384, 13],
    [4096, 8192, 30720, 23],
    [8192, 16384, 61440, 12],
    [16384, 32768, 122880, 12],
  ])('cpu %i goes from %i to %i MiB in %i sizes', (cpu, first, last, count) => {
    const memories = FARGATE_SIZES.get(cpu) ?? [];
    expect([memories[0], memories.at(-1), memories.length]).toEqual([first, last, count]);
    for (const memory of memories) expect(fargateSizeProblem(cpu, memory)).toBeUndefined();
  });

  test.each([
    [1000, 4096, 'cpu 1000 is not a Fargate size: use one of 256, 512, 1024, 2048, 4096, 8192, 16384'],
    [256, 4096, 'memory 4096 MiB does not go with cpu 256: use 512, 1024, 2048'],
    [1024, 1024, 'memory 1024 MiB does not go with cpu 1024: use 2048 to 8192 in steps of 1024'],
    [8192, 17408, 'memory 17408 MiB does not go with cpu 8192: use 16384 to 61440 in steps of 4096'],
  ])('%i with %i is refused with what is allowed', (cpu, memory, message) => {
    expect(fargateSizeProblem(cpu, memory)).toBe(message);
  });

  test.each([20, 21, 200])('%i GiB of ephemeral storage are possible', (gib) => {
    expect(ephemeralStorageProblem(gib)).toBeUndefined();
  });

  test.each([0, 19, 201, 30.5, Number.NaN])('%d GiB of ephemeral storage are not', (gib) => {
    expect(ephemeralStorageProblem(gib)).toMatch(/use 21 to 200, or leave it out for 20/);
  });
});
