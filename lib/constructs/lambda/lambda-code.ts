import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { AssetHashType } from 'aws-cdk-lib';
import type { AssetCode } from 'aws-cdk-lib/aws-lambda';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { builtLambda, bundleLambda, LAMBDA_BUNDLE } from './lambda-bundle';
import { packageRoot } from '../../util/package-root';

/**
 * Code of `lambda/<name>` for a Lambda function, whose handler is then `index.<export>`. The built package contains the
 * finished bundle; from the sources it is built at synthesis, without Docker or a network. The asset's hash is that of
 * the bundle, so it changes only when the code that runs does.
 */
export function lambdaCode(name: string): AssetCode {
  const folder = isBuilt() ? builtLambda(name) : freshlyBundled(name);
  return Code.fromAsset(folder, {
    assetHash: hashOf(readFileSync(join(folder, LAMBDA_BUNDLE))),
    assetHashType: AssetHashType.CUSTOM,
  });
}

const isBuilt = (): boolean => __dirname.startsWith(join(packageRoot(), 'dist') + sep);

/** A folder that contains only the bundle, among the files that tools can recreate. It is named by its content. */
function freshlyBundled(name: string): string {
  const bundle = bundleLambda(name);
  const folder = join(packageRoot(), 'node_modules', '.cache', 'mngr-fargate', name, hashOf(bundle));
  if (existsSync(folder)) return folder;
  // In one step, since another process may be reading it, or be doing the same.
  const making = `${folder}.${process.pid}`;
  mkdirSync(making, { recursive: true });
  writeFileSync(join(making, LAMBDA_BUNDLE), bundle);
  try {
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

const hashOf = (bundle: Uint8Array): string => createHash('sha256').update(bundle).digest('hex');
