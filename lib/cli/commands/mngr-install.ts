import { join } from 'node:path';
import type { InstalledPlugin } from '../../mngr/index';
import type { CliContext } from '../context';
import { packageRoot } from '../../util/package-root';

export interface MngrInstallOptions {
  readonly python?: string;
  readonly dryRun?: boolean;
}

function describe({ changed, dryRun, ...installed }: InstalledPlugin): string {
  const place = `${installed.prefix} (mngr ${installed.mngrVersion})`;
  const plugin = `plugin ${installed.pluginVersion ?? ''}`.trim();
  if (!changed) return `the ${plugin} is already in ${place}\n`;
  const command = installed.command.join(' ');
  if (dryRun) return `would install the plugin into ${place} with\n  ${command}\n`;
  const before = installed.previousVersion === null ? '' : `, replacing ${installed.previousVersion}`;
  return `installed the ${plugin} into ${place}${before}, with\n  ${command}\n`;
}

/** `mngr install` */
export async function mngrInstall(context: CliContext, options: MngrInstallOptions): Promise<void> {
  const { installPlugin } = await import('../../mngr/index.js');
  const installed = await installPlugin({
    source: join(packageRoot(), 'plugin'),
    python: options.python,
    dryRun: options.dryRun === true,
    environment: context.io.environment,
    signal: context.signal,
  });
  context.result(installed, () => describe(installed));
}
