import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './paths';

const run = promisify(execFile);

/**
 * Packs this machine's build of better-sqlite3 into a new folder, where prebuild-install finds it by its name if the folder
 * is its `local-prebuilds`. Otherwise it comes from GitHub, or is compiled, which takes minutes.
 */
export async function packSqlitePrebuild(folder: string): Promise<void> {
  const manifest = createRequire(join(ROOT, 'package.json')).resolve('better-sqlite3/package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { readonly version: string };
  const { versions, platform, arch } = process;
  const archive = `better-sqlite3-v${version}-node-v${versions.modules}-${platform}-${arch}.tar.gz`;
  await mkdir(folder);
  await run('tar', ['-C', dirname(manifest), '-czf', join(folder, archive), 'build/Release/better_sqlite3.node']);
}
