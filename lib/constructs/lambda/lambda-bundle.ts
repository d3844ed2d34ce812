import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Esbuild from 'esbuild';
import { packageRoot } from '../../util/package-root';

/** Where a handler's sources begin, and what its bundle is called. */
export const LAMBDA_ENTRY = 'index.ts';
export const LAMBDA_BUNDLE = 'index.js';

/** Folder of a handler's sources, and of its bundle in the built package. */
export const lambdaSources = (name: string): string => join(packageRoot(), 'lambda', name);
export const builtLambda = (name: string): string => join(packageRoot(), 'dist', 'lambda', name);

/**
 * Options of esbuild for a handler: one CommonJS file with all that it needs, the AWS SDK included, so that it runs with
 * the versions of the lock file whatever the runtime brings along. ssh2's native parts stay out, which it does without.
 */
export const lambdaBundleOptions = (name: string) => ({
  entryPoints: [join(lambdaSources(name), LAMBDA_ENTRY)],
  absWorkingDir: packageRoot(),
  bundle: true,
  minify: true,
  // Names of classes and functions are what a stack trace has to go by without a source map.
  keepNames: true,
  platform: 'node' as const,
  format: 'cjs' as const,
  target: 'node24',
  mainFields: ['module', 'main'],
  external: ['cpu-features', '*.node'],
  legalComments: 'none' as const,
  logLevel: 'warning' as const,
});

const bundles = new Map<string, Uint8Array>();

/** The bundle of a handler, made from its sources with esbuild, once a process. */
export function bundleLambda(name: string): Uint8Array {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const entry = join(lambdaSources(name), LAMBDA_ENTRY);
  if (!existsSync(entry)) throw new Error(`there is no Lambda handler ${JSON.stringify(name)}: ${entry} is missing`);
  // Loaded when it is needed: the built package comes without it.
  const { buildSync } = createRequire(__filename)('esbuild') as typeof Esbuild;
  const { outputFiles } = buildSync({ ...lambdaBundleOptions(name), write: false });
  const bundle = outputFiles[0]?.contents as Uint8Array;
  bundles.set(name, bundle);
  return bundle;
}
