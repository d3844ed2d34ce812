import { isProviderName } from '../../contract/host-name';
import { MngrFargateError } from '../../contract/errors';
import type { CliContext } from '../context';
import { overridesOf } from '../global-options';
import { configWriteMngr } from './config-write-mngr';

export interface ConfigWriteOptions {
  readonly outputsFile?: string;
  readonly providerName?: string;
  readonly dryRun?: boolean;
  readonly mngr?: boolean;
  readonly remove?: boolean;
}

/** `config write` */
export async function configWrite(context: CliContext, options: ConfigWriteOptions): Promise<void> {
  const { stack, provider: blockInUse } = context.options;
  const provider = options.providerName ?? blockInUse;
  if (!isProviderName(provider))
    throw new MngrFargateError('usage', `${JSON.stringify(provider)} is not a provider name`);
  if (options.mngr === true) {
    if (options.outputsFile !== undefined)
      throw new MngrFargateError('usage', '--mngr and --outputs-file cannot be used together');
    return configWriteMngr(context, { sshProvider: provider, remove: options.remove, dryRun: options.dryRun });
  }
  if (options.remove === true) throw new MngrFargateError('usage', '--remove only works with --mngr');
  const mngr = await import('../../mngr/index.js');
  const { environment } = context.io;
  const baseDirectory = mngr.mngrBaseDirectory(environment);
  const overrides = overridesOf(context.options);
  const outputs =
    options.outputsFile === undefined
      ? await mngr.deployedSettings({ baseDirectory, environment, provider, overrides, stack, signal: context.signal })
      : mngr.settingsOfStack(await mngr.readOutputsFile(options.outputsFile, stack), options.outputsFile);
  const settings = mngr.mergedSettings([mngr.settingsOfOverrides(overrides), outputs]);
  const dryRun = options.dryRun === true;
  const { file, profile, changed, values } = await mngr.writeProviderConfig({
    baseDirectory,
    provider,
    settings,
    dryRun,
  });

  context.result({ file, provider, profile: dryRun ? null : profile, changed, dryRun, values }, () => {
    if (dryRun) return mngr.renderProviderBlock(provider, values);
    return changed ? `wrote [providers.${provider}] into ${file}\n` : `${file} already has it\n`;
  });
}
