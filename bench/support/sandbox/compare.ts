import type { BenchOptions, Row } from '../bench';
import { fastest, precise, quantile } from '../statistics';
import type { Contender, Times } from './contender';

interface Task {
  readonly what: string;
  readonly command: string;
  /** Of output. */
  readonly bytes: number;
  readonly figures: readonly Figure[];
  readonly rounds: number;
  readonly aims?: Readonly<
    Record<string, { readonly words: string; readonly met: (own: number, floor: number) => boolean }>
  >;
}

interface Figure {
  readonly name: string;
  readonly of: (times: readonly Times[]) => number;
}

const totals = (times: readonly Times[]): number[] => times.map(({ total }) => total);
const FASTEST: Figure = { name: '', of: (times) => fastest(totals(times)) };

/** What each contender is given, in turn: what disturbs the machine meanwhile disturbs them alike. */
const tasks = (quick: boolean): readonly Task[] => [
  {
    what: 'stateful `true`',
    command: 'true',
    bytes: 0,
    rounds: quick ? 30 : 500,
    figures: [
      { name: ', p50', of: (times) => quantile(totals(times), 0.5) },
      { name: ', p95', of: (times) => quantile(totals(times), 0.95) },
    ],
    aims: {
      'in the host, p50': { words: '< 2 ms', met: (own) => own < 2 },
      'through the API, p50': { words: '< 4 ms', met: (own) => own < 4 },
    },
  },
  {
    what: 'first streamed byte, p50',
    command: 'echo x; sleep 0.01',
    bytes: 2,
    rounds: quick ? 10 : 200,
    figures: [
      {
        name: '',
        of: (times) =>
          quantile(
            times.map(({ firstByte }) => firstByte),
            0.5,
          ),
      },
    ],
    aims: {
      'in the host': { words: '< 5 ms', met: (own) => own < 5 },
      'through the API': { words: '< 5 ms', met: (own) => own < 5 },
    },
  },
  {
    what: '2 million lines',
    command: 'seq 2000000',
    bytes: 14_888_896,
    rounds: quick ? 2 : 7,
    figures: [FASTEST],
    aims: {
      'in the host': { words: '< 1 s and ≤ 2 × the floor', met: (own, floor) => own < 1_000 && own <= 2 * floor },
    },
  },
  {
    what: '50 MiB of output',
    command: 'head -c 52428800 /dev/zero',
    bytes: 52_428_800,
    rounds: quick ? 2 : 7,
    figures: [FASTEST],
  },
];

/** The figures of all contenders against the first of them, the floor. */
export async function compare(field: readonly Contender[], { quick, progress }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const task of tasks(quick)) {
    progress(task.what);
    rows.push(...(await compareAt(task, field)));
  }
  return rows;
}

async function compareAt(task: Task, field: readonly Contender[]): Promise<Row[]> {
  const { what, command, bytes, rounds, figures, aims = {} } = task;
  const able = field.filter(({ streams }) => streams || bytes === 0);
  const times = able.map((): Times[] => []);
  // The first round isn't counted: shells start in it.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, contender] of able.entries()) {
      const measured = await contender.run(command, bytes);
      if (round > 0) times[index]?.push(measured);
    }
  }
  const [floor, ...others] = able;
  if (floor === undefined) throw new Error('nobody to compare with');
  return figures.flatMap(({ name, of }) => {
    const least = of(times[0] ?? []);
    return others.map((contender, index): Row => {
      const own = of(times[index + 1] ?? []);
      const aim = aims[contender.name + name];
      return {
        what: `${what}${name}: ${contender.name}`,
        measured: precise(own),
        comparison: 'floor',
        against: `${floor.name} ${precise(least)}`,
        ratio: own / least,
        ...(aim === undefined ? {} : { aim: aim.words, met: aim.met(own, least) }),
      };
    });
  });
}
