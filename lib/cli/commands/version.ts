import type { CliContext } from '../context';
import { CONTRACT_VERSION } from '../json-contract';
import type { CommandRegistration } from '../runner';
import { packageVersion } from '../../util/package-root';

async function version(context: CliContext): Promise<void> {
  const document = { version: packageVersion(), contractVersion: CONTRACT_VERSION };
  context.result(document, () => `${document.version}\n`);
}

/** `version` */
export const versionCommand: CommandRegistration = (program, runner) => {
  program
    .command('version')
    .description('print the version, and with --json that of the JSON contract')
    .action(runner.action(version));
};
