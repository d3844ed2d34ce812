import type { Command } from 'commander';
import { Argument } from 'commander';
import type { CliContext } from '../context';
import type { CommandRegistration } from '../runner';

type Shell = 'bash' | 'zsh' | 'fish';

async function script(shell: Shell, program: Command): Promise<string> {
  const { commandTree } = await import('../completion/command-tree.js');
  const tree = commandTree(program);
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.js')).bashCompletion(tree);
    case 'zsh':
      return (await import('../completion/zsh.js')).zshCompletion(tree);
    case 'fish':
      return (await import('../completion/fish.js')).fishCompletion(tree);
  }
}

async function hostNames({ io }: CliContext): Promise<string[]> {
  const { keyDirectoryOf, mngrBaseDirectory } = await import('../../mngr/config/base-directory.js');
  const { readProfile } = await import('../../mngr/config/profile.js');
  const { recordedHostNames } = await import('../completion/recorded-hosts.js');
  const base = mngrBaseDirectory(io.environment);
  const profile = await readProfile(base);
  const hosts = profile === undefined ? [] : await recordedHostNames(keyDirectoryOf(base, profile));
  return [...hosts, ...(await targetNames(base))];
}

/** As commands take them; none where config.toml can't be read, since a completion can't show errors. */
async function targetNames(base: string): Promise<string[]> {
  const { readTargets } = await import('../../mngr/config/targets.js');
  const targets = await readTargets(base).then(
    (read) => [...read.targets.keys()],
    () => [],
  );
  return targets.map((name) => `@${name}`).sort();
}

/** `completion bash|zsh|fish|hosts` */
export const completionCommand: CommandRegistration = (program, runner) => {
  program
    .command('completion')
    .description('print a completion script for a shell, or the names of hosts and targets that it offers')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish', 'hosts']))
    .addHelpText('after', '\nExample:\n  source <(mngr-fargate completion bash)')
    .action(
      runner.action(async (context, what: Shell | 'hosts') => {
        if (what === 'hosts') {
          const names = await hostNames(context);
          context.result(names, () => names.map((name) => `${name}\n`).join(''));
          return;
        }
        const text = await script(what, program);
        context.result({ shell: what, script: text }, () => text);
      }),
    );
};
