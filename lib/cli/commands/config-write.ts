import { isProviderName } from '../../contract/host-name';
import { MngrFargateError } from '../../contract/errors';
import type { CliContext } from '../context';
import { overridesOf } from '../global-options';

export interface ConfigWriteOptions {
  readonly outputsFile?: string;
  readonly providerName?: string;
  readonly dryRun?: boolean;
}

/** `config write` */
export async function configWrite(context: CliContext, options: ConfigWriteOptions): Promise<void> {
  const mngr = await import('../../mngr/index.js');
  const { stack, provider: blockInUse } = context.options;
  const provider = options.providerName ?? blockInUse;
  if (!isProviderName(provider))
    throw new MngrFargateError('usage', `${JSON.stringify(provider)} is not a provider name`);
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
    return changed ? `wrote [providers.${provider}] into ${file}\n` : `${file} has it already\n`;
  });
}
