import * as fc from 'fast-check';
import { describeWith, program } from '../support/run/requirements';
import { judge } from './watchdog-facts';

const NOW = 1_790_000_000;
const HOST_SOURCES = ['boot', 'user', 'ssh'];
const AGENT_SOURCES = ['create', 'start', 'agent', 'process'];

/** A host as the watchdog sees it; ages in seconds. */
interface Situation {
  readonly timeout: number;
  readonly maxAge: number | null;
  readonly sources: readonly string[];
  readonly prefix: string;
  readonly started: number;
  /** Age of activity/NAME. */
  readonly activity: Readonly<Record<string, number>>;
  /** Age of each agent's directory, and of its activity files. */
  readonly agents: readonly { readonly age: number; readonly activity: Readonly<Record<string, number>> }[];
  readonly sessions: readonly string[];
  readonly present: boolean;
  readonly confirmed: boolean;
  readonly busy: boolean;
}

const QUIET: Situation = {
  timeout: 3600,
  maxAge: null,
  sources: ['user', 'agent', 'ssh', 'create', 'start', 'boot'],
  prefix: 'mngr-',
  started: 600,
  activity: { boot: 600 },
  agents: [],
  sessions: [],
  present: false,
  confirmed: false,
  busy: false,
};

const factsOf = (situation: Situation): string[] => [
  `limits ${situation.timeout} ${situation.maxAge ?? '-'} ${situation.sources.join(',') || '-'}`,
  `prefix ${situation.prefix}`,
  `started ${NOW - situation.started}`,
  `now ${NOW}`,
  ...situation.sessions.map((name, index) => `pane ${100 + index} ${name}`),
  ...Object.entries(situation.activity).map(([name, age]) => `file ${NOW - age} 1 0 activity/${name}`),
  ...situation.agents.flatMap(({ age, activity }, index) => [
    `file ${NOW - age} 1 0 agents/agent-${index}/`,
    ...Object.entries(activity).map(
      ([name, fileAge]) => `file ${NOW - fileAge} 1 0 agents/agent-${index}/activity/${name}`,
    ),
  ]),
];

const decide = (situation: Situation): string[] =>
  judge(['decide.awk'], factsOf(situation), [
    `present=${Number(situation.present)}`,
    `confirmed=${Number(situation.confirmed)}`,
    `busy=${Number(situation.busy)}`,
  ]);

const verdictOf = (situation: Situation): string => (decide(situation).at(-1) ?? '').split(' ')[0] as string;

/** mngr's activity_watcher.sh of 0.3.0, told again, with what the image adds to it. */
function expected(situation: Situation): 'keep' | 'pause' | 'stopped' {
  const { sources, activity, agents, maxAge } = situation;
  const boot = activity.boot ?? situation.started;
  if (maxAge !== null && boot >= maxAge) return 'pause';
  if (sources.length === 0) return 'keep';
  const hasSession = situation.sessions.some((name) => name.startsWith(situation.prefix));
  const newestAgent = Math.min(...agents.map(({ age }) => age));
  const mayEnd = situation.prefix !== '' && agents.length > 0 && newestAgent >= 120 && boot >= 120;
  if (mayEnd && !hasSession && !situation.present) return 'stopped';
  if (situation.timeout === 0 || (situation.present && sources.includes('ssh'))) return 'keep';
  const ages = [
    ...HOST_SOURCES.filter((name) => sources.includes(name)).map((name) => activity[name]),
    ...agents.flatMap((agent) =>
      AGENT_SOURCES.filter((name) => sources.includes(name)).map((name) => agent.activity[name]),
    ),
    ...(sources.includes('agent') ? [activity.agent, ...(situation.busy ? [0] : [])] : []),
    ...(sources.includes('ssh') && situation.confirmed ? [0] : []),
  ].filter((age) => age !== undefined);
  return Math.min(...(ages.length > 0 ? ages : [boot])) >= situation.timeout ? 'pause' : 'keep';
}

const age = fc.oneof(fc.constantFrom(0, 119, 120, 3599, 3600, 86_400), fc.nat({ max: 100_000 }));
const agesOf = (names: readonly string[]): fc.Arbitrary<Record<string, number>> =>
  fc.dictionary(fc.constantFrom(...names), age, { maxKeys: names.length, noNullPrototype: true });

const situations: fc.Arbitrary<Situation> = fc
  .record({
    timeout: fc.constantFrom(0, 1, 120, 3600, 86_400),
    maxAge: fc.option(fc.constantFrom(1, 3600, 86_400, 200_000), { nil: null }),
    sources: fc.subarray([...HOST_SOURCES, ...AGENT_SOURCES]),
    prefix: fc.constantFrom('mngr-', '', 'team-'),
    started: age,
    activity: agesOf([...HOST_SOURCES, 'agent', 'process', 'unknown']),
    agents: fc.array(fc.record({ age, activity: agesOf([...AGENT_SOURCES, 'ssh', 'other']) }), { maxLength: 3 }),
    sessions: fc.subarray(['mngr-one', 'team-one', 'my mngr-']),
    present: fc.boolean(),
    confirmed: fc.boolean(),
    busy: fc.boolean(),
  })
  .map((situation) => ({ ...situation, confirmed: situation.confirmed && situation.present }));

describeWith([program('awk')], "the watchdog's decision", () => {
  it("is mngr's in every situation, with the sessions and agents that mngr doesn't see", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        expect(verdictOf(situation)).toBe(expected(situation));
      }),
      { numRuns: 400 },
    );
  });

  it('gives the figures of its reason', () => {
    expect(decide({ ...QUIET, activity: { boot: 9000, ssh: 3700 } })).toEqual([
      'pause idle: no activity for 3700 s, latest ssh, idle_timeout_seconds 3600',
    ]);
    expect(decide({ ...QUIET, maxAge: 600 })).toEqual(['pause too old: booted 600 s ago, max_host_age 600 s']);
    expect(decide({ ...QUIET, agents: [{ age: 200, activity: {} }] })).toEqual([
      'stopped no agent left: no tmux session mngr-*, the newest of 1 agents was made 200 s ago',
    ]);
  });

  it('says which activity it saw, with any sources', () => {
    const seen = decide({ ...QUIET, sources: ['boot'], present: true, confirmed: true, busy: true });
    expect(seen).toEqual(['touch ssh', 'touch agent', 'keep']);
  });

  it('spares a host whose tmux server does not answer', () => {
    const facts = factsOf({ ...QUIET, agents: [{ age: 200, activity: {} }] });
    expect(judge(['decide.awk'], facts)[0]).toMatch(/^stopped /);
    expect(judge(['decide.awk'], [...facts, 'panes unknown'])).toEqual(['keep']);
  });

  it('names the data.json that it decided by', () => {
    expect(judge(['decide.awk'], [...factsOf(QUIET), 'file 1700000000 77 512 data.json'])).toEqual([
      'data 1700000000 77 512',
      'keep',
    ]);
  });

  it.each([['now'], ['limits']])('gives no verdict without %s', (fact) => {
    const facts = factsOf({ ...QUIET, activity: { boot: 99_999 } }).filter((line) => !line.startsWith(fact));
    expect(judge(['decide.awk'], facts)).toEqual([]);
  });
});
