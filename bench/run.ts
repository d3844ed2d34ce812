import { parseArgs } from 'node:util';
import '../lib/cli/quiet-aws-sdk';
import type { Bench } from './support/bench';
import { belowFloor } from './support/bench';
import { writeFigures } from './support/document';
import { machine } from './support/machine';
import { markdownOf, textOf } from './support/report';

/** The benches by name, in the order they run. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  cli: () => import('./cli.js'),
  synth: () => import('./synth.js'),
  'image-size': () => import('./image-size.js'),
  watchdog: () => import('./watchdog.js'),
  list: () => import('./list.js'),
  reaper: () => import('./reaper.js'),
  create: () => import('./create.js'),
  fleet: () => import('./fleet.js'),
  mngr: () => import('./mngr.js'),
  session: () => import('./session.js'),
  engine: () => import('./engine.js'),
  sandbox: () => import('./sandbox.js'),
};

const USAGE = `npm run bench -- [NAME…] [--quick] [--write]

Measures, each figure as a ratio to a floor, a peer or a limit (docs/benchmarks.md).

NAME      ${Object.keys(BENCHES).join(', ')}; all of them when none is given
--quick   fewer repetitions, to see that the benches work
--write   puts the figures into docs/benchmarks.md; those of other benches stay`;

/** Ends with 1 when a bench failed. A missed aim is a result, not a failure. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const unknown = positionals.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) {
    console.error(`no bench is called ${unknown.join(', ')}\n\n${USAGE}`);
    return 2;
  }
  const quick = values.quick === true;
  if (quick && values.write === true) {
    console.error('--quick figures are not for publication: leave out --quick or --write');
    return 2;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  console.log(machine());
  let failed = 0;
  for (const name of names) {
    try {
      await runBench(name, quick, values.write === true);
    } catch (error) {
      failed += 1;
      console.error(`\n${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return failed > 0 ? 1 : 0;
}

async function runBench(name: string, quick: boolean, write: boolean): Promise<void> {
  const load = BENCHES[name];
  if (load === undefined) throw new Error(`no bench is called ${name}`);
  const { bench } = await load();
  console.log(`\n${name}: ${bench.title}`);
  const missing = bench.missing?.();
  if (missing !== undefined) {
    console.log(`  not measured: ${missing}`);
    return;
  }
  const result = await bench.run({ quick, progress: (line) => console.log(`  … ${line}`) });
  console.log(textOf(result));
  const [impossible] = belowFloor(result);
  if (impossible !== undefined) {
    const problem = `"${impossible.what}" is lower than its floor: the machine was too busy for a measurement`;
    if (write) throw new Error(`${problem}. Nothing was written: run it again on a quiet machine`);
    console.log(`  ${problem}`);
  }
  if (write) await writeFigures(name, markdownOf(result, `${new Date().toISOString().slice(0, 10)}, ${machine()}`));
}

void main().then((exitCode) => process.exit(exitCode));
