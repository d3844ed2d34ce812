import type { CliContext } from '../context';
import { CONTRACT_VERSION } from '../json-contract';
import { nodeVersionNote } from '../node-version';
import type { CommandRegistration } from '../runner';
import { packageVersion } from '../../util/package-root';

async function version(context: CliContext): Promise<void> {
  const document = { version: packageVersion(), contractVersion: CONTRACT_VERSION };
  context.result(document, () => `${document.version}\n`);
  const note = nodeVersionNote(process.versions.node);
  if (note !== undefined && !context.json) context.note(note);
}

/** `version` */
export const versionCommand: CommandRegistration = (program, runner) => {
  program
    .command('version')
    .description('print the version, and with --json also the version of the JSON contract')
    .action(runner.action(version));
};
