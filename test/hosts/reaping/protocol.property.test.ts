import fc from 'fast-check';
import { ProtocolWorld } from '../../support/host/protocol-world';

/**
 * The life of hosts as a protocol: launchers, users, a stack and reapers work on one simulated ECS, in any order, with lost
 * answers, retries, crashes at any step, tasks that calls find late, wrong clocks and tokens that ECS has forgotten. The code is the real
 * one on both sides; only SSH and time are simulated.
 *
 * - A reaper never stops a host that somebody counts on.
 * - What nobody counts on is gone once boot lease, patience and one interval of the reaper are over.
 */
const MINUTE = 60_000;
const SCHEDULES = 2_000;

type Action = (world: ProtocolWorld) => void | Promise<void>;

const name = fc.constantFrom('fox', 'owl');
const choice = fc.nat(50);
/** Of a launcher's clock: exact, off as AWS allows, and off as it doesn't. */
const skew = fc.constantFrom(0, 0, -4 * MINUTE, 4 * MINUTE, -3 * 60 * MINUTE, 3 * 60 * MINUTE);
const maxAge = fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined });

const creation = fc
  .tuple(name, maxAge, skew, fc.boolean(), fc.boolean())
  .map(([of, age, off, watched, lateTag]): { readonly of: string; readonly begin: Action } => ({
    of,
    begin: (world) =>
      world.create(of, { maxAge: age === undefined ? undefined : age * MINUTE, skew: off, watched, lateTag }),
  }));
const calls = fc.integer({ min: 0, max: 12 });

/** One thing after another. */
const inTurn =
  (...actions: readonly Action[]): Action =>
  async (world) => {
    for (const act of actions) await act(world);
  };
const progress =
  (count: number): Action =>
  (world) =>
    world.progress(count);

/** Two launches that don't see each other: lists are late, and ECS has forgotten the first one's token. */
const twins = fc.tuple(creation, calls, calls).map(([{ begin }, first, second]) =>
  inTurn(
    (world) => void (world.ecs.listDelay = 10 * MINUTE),
    begin,
    progress(first),
    (world) => world.ecs.forgetTokens(),
    begin,
    progress(second),
  ),
);
const create = fc.tuple(creation, calls).map(([{ begin }, count]) => inTurn(begin, progress(count)));
/** A launcher that dies at some step; its last calls may have taken effect. */
const death = fc
  .tuple(creation, calls, choice, fc.boolean())
  .map(([{ begin }, count, at, effective]) => inTurn(begin, progress(count), (world) => world.crash(at, effective)));
/** A rename that looks whether the name is free, and a create of that name which comes in between. */
const renameRace = fc
  .tuple(creation, name, calls)
  .map(([{ of, begin }, from, count]) => inTurn((world) => world.rename(from, of), progress(count), begin));

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.tuple(choice).map(
      ([at]): Action =>
        (world) =>
          world.step(at, 'answer'),
    ),
  },
  { weight: 6, arbitrary: calls.map(progress) },
  {
    weight: 4,
    arbitrary: fc.tuple(choice, fc.constantFrom('lose' as const, 'fail' as const)).map(
      ([at, how]): Action =>
        (world) =>
          world.step(at, how),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(choice, fc.boolean()).map(
      ([at, done]): Action =>
        (world) =>
          world.crash(at, done),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 59 }).map(
      (seconds): Action =>
        (world) =>
          world.pass(seconds * 1000),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 90 }), fc.boolean()).map(
      ([minutes, reaper]): Action =>
        (world) =>
          world.passQuietly(minutes * MINUTE, reaper),
    ),
  },
  { weight: 4, arbitrary: calls.map((count) => inTurn((world) => void world.reap(), progress(count))) },
  { weight: 3, arbitrary: fc.constant<Action>((world) => world.calm()) },
  { weight: 4, arbitrary: create },
  { weight: 3, arbitrary: death },
  { weight: 2, arbitrary: twins },
  { weight: 2, arbitrary: renameRace },
  {
    weight: 1,
    arbitrary: name.map(
      (of): Action =>
        (world) =>
          world.destroy(of),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(name, fc.integer({ min: 1, max: 240 })).map(
      ([of, age]): Action =>
        (world) =>
          world.extend(of, age * MINUTE),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(name, fc.boolean()).map(
      ([of, heardOf]): Action =>
        (world) =>
          world.replaceInStack(of, heardOf),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Action>((world) => world.ecs.forgetTokens()) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 120 }).map(
      (seconds): Action =>
        (world) =>
          void (world.ecs.listDelay = seconds * 1000),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 9 }).map(
      (seconds): Action =>
        (world) =>
          void (world.ecs.lookDelay = seconds * 1000),
    ),
  },
);

describe('launchers, users, a stack and reapers in any order', () => {
  it('leave nothing behind and lose nothing that is relied on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 30 }), async (actions) => {
        const world = new ProtocolWorld();
        for (const act of actions) await act(world);
        expect(await world.settleDown()).toEqual([]);
      }),
      { numRuns: SCHEDULES },
    );
  }, 600_000);
});
