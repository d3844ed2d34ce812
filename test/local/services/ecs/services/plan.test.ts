import { planOf } from '../../../../../lib/local/services/ecs/services/plan';
import type { PlanInput } from '../../../../../lib/local/services/ecs/services/plan';

/** `N` a running task of the primary deployment, `n` one that isn't running yet; `O` and `o` of an earlier one. */
const live = (tasks: string): PlanInput['live'] =>
  [...tasks].map((letter, index) => ({
    taskArn: `${letter}${index}`,
    startedBy: /n/i.test(letter) ? 'new' : 'old',
    lastStatus: letter === letter.toUpperCase() ? 'RUNNING' : 'PENDING',
  }));

describe('the next step of a service', () => {
  it.each<[string, string, number, [number, number], string, number]>([
    ['starts all at first', '', 3, [100, 200], '', 3],
    ['waits while they start', 'nnn', 3, [100, 200], '', 0],
    ['replaces one that died', 'NN', 3, [100, 200], '', 1],
    ['starts new ones beside the old ones', 'OOO', 3, [100, 200], '', 3],
    ['stops no old one before a new one runs', 'OOOnnn', 3, [100, 200], '', 0],
    ['stops as many old ones as new ones run', 'OOONNn', 3, [100, 200], 'O0 O1', 0],
    ['stops old ones that serve nobody at once', 'Oon', 1, [100, 200], 'o1', 0],
    ['stops old ones first where there is no room', 'OOOO', 4, [50, 100], 'O0 O1', 2],
    ['goes on as the new ones run', 'OONN', 4, [50, 100], 'O0 O1', 2],
    ['rounds the room down', 'OOO', 3, [100, 150], '', 1],
    ['stops the newest when there are too many', 'NNN', 1, [100, 200], 'N1 N2', 0],
    ['stops those first that are not running yet', 'nNN', 2, [100, 200], 'n0', 0],
    ['stops everything at zero', 'ONn', 0, [100, 200], 'N1 n2 O0', 0],
  ])('%s: %s for %i', (_, tasks, desiredCount, [minimum, maximum], stop, start) => {
    const plan = planOf({ live: live(tasks), primary: 'new', desiredCount, minimum, maximum });
    expect(plan.stop.map(({ taskArn }) => taskArn).join(' ')).toBe(stop);
    expect(plan.start).toBe(start);
  });
});
