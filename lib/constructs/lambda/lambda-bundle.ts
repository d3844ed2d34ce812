import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as Esbuild from 'esbuild';
import { packageRoot } from '../../util/package-root';

/** The entry point of a handler's sources, and the name of its bundle. */
export const LAMBDA_ENTRY = 'index.ts';
export const LAMBDA_BUNDLE = 'index.js';

/** Folder of a handler's sources, and of its bundle in the built package. */
export const lambdaSources = (name: string): string => join(packageRoot(), 'lambda', name);
export const builtLambda = (name: string): string => join(packageRoot(), 'dist', 'lambda', name);

/**
 * Options of esbuild for a handler: one CommonJS file with everything that it needs, including the AWS SDK, so that it
 * runs with the versions of the lock file and not the runtime's. ssh2's native parts are left out; it works without
 * them.
 */
export const lambdaBundleOptions = (name: string) => ({
  entryPoints: [join(lambdaSources(name), LAMBDA_ENTRY)],
  absWorkingDir: packageRoot(),
  bundle: true,
  minify: true,
  // Without a source map, stack traces depend on the names of classes and functions.
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

/** The bundle of a handler, built from its sources with esbuild, once per process. */
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
