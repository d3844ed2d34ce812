import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../util/atomic-file';
import { packageRoot, packageVersion } from '../../util/package-root';
import type { PlaceRequest } from './sandbox-place';
import { synthesize } from './synthesize';

/** In an assembly: what it was made by. A synthesis takes seconds, and a restart needs none. */
const STAMP = '.made-by';

/**
 * The stack as `cdk deploy -c sandbox=true` has it. Agents' hosts are never started here, so that their image, which has
 * no sandbox's engine, isn't built.
 */
const CONTEXT = { sandbox: 'true', image: 'hosts.invalid/not-built:here', nagPacks: 'none' } as const;

/** The CDK's check of a template takes several times as long as its synthesis, and this one is always the same. */
const UNCHECKED = { CDK_VALIDATION: 'false' } as const;

/** What of this package changes the assembly. */
const PARTS = [join('bin', 'app.js'), join('sandboxd', 'sandboxd.js')];

/** The `cdk.out` of SANDBOX_ASSEMBLY, else one in the data directory, synthesized unless this version has done so. */
export async function sandboxAssembly(request: PlaceRequest): Promise<string> {
  const { environment, dataDirectory, onProgress, signal } = request;
  if (environment.SANDBOX_ASSEMBLY) return environment.SANDBOX_ASSEMBLY;
  const folder = join(dataDirectory, 'cdk.out');
  if (await isCurrent(folder)) return folder;
  onProgress('synthesizing the stack');
  await synthesize({ folder, context: CONTEXT, environment: { ...withoutAws(environment), ...UNCHECKED }, signal });
  await writePrivateFile(join(folder, STAMP), await stamp());
  return folder;
}

async function stamp(): Promise<string> {
  const dist = join(packageRoot(), 'dist');
  const times = PARTS.map((part) =>
    stat(join(dist, part)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 'missing',
    ),
  );
  return `${packageVersion()} ${JSON.stringify(CONTEXT)} ${(await Promise.all(times)).join(' ')}\n`;
}

const isCurrent = async (folder: string): Promise<boolean> =>
  (await readFile(join(folder, STAMP), 'utf8').catch(() => '')) === (await stamp());

const withoutAws = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AWS|MNGR|CDK)_/.test(name)));
