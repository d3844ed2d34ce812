import type { CliContext } from '../context';

export interface ConfigWriteMngrOptions {
  /** Name of the ssh provider in mngr's settings. */
  readonly sshProvider: string;
  readonly remove?: boolean;
  readonly dryRun?: boolean;
}

/** `config write --mngr` */
export async function configWriteMngr(context: CliContext, options: ConfigWriteMngrOptions): Promise<void> {
  const { sshProvider, remove = false, dryRun = false } = options;
  const { provider } = context.options;
  const mngr = await import('../../mngr/index.js');
  const baseDirectory = mngr.mngrBaseDirectory(context.io.environment);
  const { file, profile, changed } = await mngr.writeSshProvider({
    baseDirectory,
    provider,
    sshProvider,
    remove,
    dryRun,
  });
  const script = mngr.syncScript({ provider, sshProvider });
  const document = {
    file,
    profile: dryRun ? null : profile,
    provider,
    pool: sshProvider,
    changed,
    dryRun,
    removed: remove,
    script,
    commands: mngr.COMMANDS_WITH_HOSTS,
  };
  context.result(document, () => {
    if (dryRun && remove) return `${file} ${changed ? 'has' : 'does not have'} settings of ${sshProvider} to remove\n`;
    if (dryRun) return mngr.renderSshProviderSettings({ provider, sshProvider });
    if (remove)
      return changed ? `removed ${sshProvider} from ${file}\n` : `${file} has no settings of ${sshProvider}\n`;
    return changed ? `wrote [providers.${sshProvider}] and its sync into ${file}\n` : `${file} already has it\n`;
  });
}
