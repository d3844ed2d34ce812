import type { CliContext } from '../context';

export interface ConfigWriteMngrOptions {
  /** Name of the block in mngr's settings. */
  readonly pool: string;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
}

/** `config write --mngr` */
export async function configWriteMngr(context: CliContext, options: ConfigWriteMngrOptions): Promise<void> {
  const { pool, remove = false, dryRun = false } = options;
  const { provider } = context.options;
  const mngr = await import('../../mngr/index.js');
  const baseDirectory = mngr.mngrBaseDirectory(context.io.environment);
  const { file, profile, changed } = await mngr.writePool({ baseDirectory, provider, pool, remove, dryRun });
  const script = mngr.syncScript({ provider, pool });
  const document = { file, profile: dryRun ? null : profile, provider, pool, changed, dryRun, removed: remove };
  context.result({ ...document, script, commands: mngr.COMMANDS_WITH_HOSTS }, () => {
    if (dryRun && remove) return `${file} ${changed ? 'has' : 'does not have'} settings of ${pool} to remove\n`;
    if (dryRun) return mngr.renderPoolSettings({ provider, pool });
    if (remove) return changed ? `removed ${pool} from ${file}\n` : `${file} has nothing of ${pool}\n`;
    return changed ? `wrote [providers.${pool}] and its sync into ${file}\n` : `${file} has it already\n`;
  });
}
