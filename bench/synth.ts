import { join } from 'node:path';
import type { Bench } from './support/bench';
import type { Command } from './support/command';
import { ROOT, TYPESCRIPT } from './support/paths';
import { sideBySide } from './support/side-by-side';
import { duration } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';
import { context as featureFlags } from '../cdk.json';

const OURS = join('bin', 'app.ts');
const EMPTY = join('bench', 'support', 'empty-app.ts');

export const bench: Bench = {
  title: '`cdk synth` of the app against `cdk synth` of an app with one empty stack',
  run: ({ quick }) =>
    withTemporaryFolder(async (folder) => {
      const measured = await sideBySide(
        {
          cdk: cdkSynth(OURS, join(folder, 'cdk-ours')),
          cdkEmpty: cdkSynth(EMPTY, join(folder, 'cdk-empty')),
          app: appAlone(OURS, join(folder, 'ours')),
          appEmpty: appAlone(EMPTY, join(folder, 'empty')),
        },
        quick ? 1 : 3,
      );
      const row = (what: string, ours: number, empty: number) => ({
        what,
        measured: duration(ours),
        comparison: 'floor' as const,
        against: `empty app ${duration(empty)}`,
        ratio: ours / empty,
      });
      return {
        rows: [
          row('`cdk synth`', measured.cdk, measured.cdkEmpty),
          row("the app alone, without the CDK's CLI", measured.app, measured.appEmpty),
        ],
      };
    }),
};

/** As a person runs it, with cdk.json's feature flags for both. */
const cdkSynth = (app: string, output: string): Command => ({
  program: process.execPath,
  args: [
    join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk'),
    'synth',
    '--quiet',
    '--no-notices',
    ...['--app', `npx tsx ${app}`],
    ...['--output', output],
  ],
  cwd: ROOT,
});

/** With the same flags, which our app reads by itself and the empty one doesn't. */
const appAlone = (app: string, output: string): Command => ({
  program: process.execPath,
  args: [...TYPESCRIPT, app],
  cwd: ROOT,
  environment: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify(featureFlags) },
});
