import { execFileSync } from 'node:child_process';
import { ROOT } from '../support/run/paths';

/** What runs the sources. */
const RUNNER = ['tsx', 'esbuild', 'get-tsconfig', 'resolve-pkg-maps'];

/** Packages that a run of the program loads. */
function packagesLoadedBy(words: readonly string[]): string[] {
  const script = `
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text, done) => (typeof done === 'function' && done(), true);
    void require('./lib/cli/main').main(${JSON.stringify(words)}).then(() => write(JSON.stringify(Object.keys(require.cache))));`;
  const loaded = JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { cwd: ROOT, encoding: 'utf8' }),
  ) as string[];
  const names = loaded.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  return [...new Set(names)].filter((name) => !RUNNER.includes(name)).sort();
}

test.each([[['--version']], [['--help']], [['create', '--help']], [['completion', 'bash']]])(
  '%j loads commander and nothing else',
  (words) => {
    expect(packagesLoadedBy(words)).toEqual(['commander']);
  },
);
