import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { writeFileAtomically } from '../../util/atomic-file';
import { withFileLock } from '../../util/file-lock';
import type { CliContext } from '../context';
import { sshProxyProgram } from '../ssh-proxy-words';

export interface ConfigSshOptions {
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly remove?: boolean;
}

/** In what a dry run prints before mngr has a profile. */
const NO_PROFILE_YET = 'PROFILE';
/** Variables that say where our files are. ssh may be started by a program that has others, such as an editor. */
const KEPT_VARIABLES = ['MNGR_HOST_DIR', 'MNGR_ROOT_NAME'];

/** `config ssh`: lets the system's ssh reach this machine's hosts by name, through `ssh-proxy`. */
export async function configSsh(context: CliContext, options: ConfigSshOptions): Promise<void> {
  const { remove = false, dryRun = false } = options;
  const { environment } = context.io;
  const file = resolve(options.file ?? join(environment.HOME || homedir(), '.ssh', 'config'));
  const { ensureProfile, keyDirectoryOf, mngrBaseDirectory, readProfile } = await import('../../mngr/index.js');
  const base = mngrBaseDirectory(environment);
  const writes = !remove && !dryRun;
  const profile = writes ? await ensureProfile(base) : ((await readProfile(base)) ?? NO_PROFILE_YET);
  const { sshConfigOf } = await import('../../hosts/index.js');
  const hosts = sshConfigOf(keyDirectoryOf(base, profile));
  const lines = [`Include ${includePath(hosts.file)}`];

  // The file to include first: a block without it would be of no use.
  const names = writes ? await hosts.write(proxyWords(context)) : [];
  const { withBlock, withoutBlock } = await import('../../ssh/index.js');
  const edit = async (): Promise<boolean> => {
    // As latin1, so that bytes that aren't UTF-8 stay what they are.
    const before = await readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new MngrFargateError('failed', `${file} cannot be read: ${error.code ?? error.message}`, { cause: error });
    });
    const latin1Lines = lines.map((line) => Buffer.from(line).toString('latin1'));
    const after = remove ? withoutBlock(before, file) : withBlock(before, latin1Lines, file);
    if (after === before) return false;
    if (!dryRun) await writeFileAtomically(file, Buffer.from(after, 'latin1'));
    return true;
  };
  const changed = dryRun ? await edit() : await withFileLock(file, edit, { signal: context.signal });
  if (remove && !dryRun) await hosts.remove();
  context.result({ file, included: hosts.file, changed, dryRun, removed: remove, hosts: names }, () =>
    textOf(file, { changed, dryRun, remove, lines, names }),
  );
}

function proxyWords({ io, options }: CliContext): string[] {
  const variables = KEPT_VARIABLES.flatMap((name) => (io.environment[name] ? [`${name}=${io.environment[name]}`] : []));
  return [...(variables.length > 0 ? ['env', ...variables] : []), ...sshProxyProgram(options)];
}

/** In quotes only where it must be: other readers of ssh_config, pyinfra among them, take quotes for a part of it. */
function includePath(path: string): string {
  if (/["\n*?[\]]/.test(path)) {
    throw new MngrFargateError('usage', `ssh can't include a file of this name: ${JSON.stringify(path)}`, {
      hint: 'set MNGR_HOST_DIR to a folder without quotes, brackets and wildcards in its name',
    });
  }
  return /[\s#]/.test(path) ? `"${path}"` : path;
}

function textOf(
  file: string,
  {
    changed,
    dryRun,
    remove,
    lines,
    names,
  }: {
    readonly changed: boolean;
    readonly dryRun: boolean;
    readonly remove: boolean;
    readonly lines: readonly string[];
    readonly names: readonly string[];
  },
): string {
  if (remove)
    return changed ? `${dryRun ? 'would remove' : 'removed'} the block of ${file}\n` : `${file} has no block\n`;
  if (dryRun) return changed ? `would write into ${file}:\n${lines.join('\n')}\n` : `${file} has the block already\n`;
  const hosts = names.length === 0 ? 'no hosts yet; new ones are added by themselves' : `hosts: ${names.join(', ')}`;
  return `${changed ? `wrote the block into ${file}` : `${file} has the block already`}\n${hosts}\n`;
}
