import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_HOST_DIRECTORY } from '../../contract/boot-variables';
import { MngrFargateError } from '../../contract/errors';
import { providerTable, renderProviderBlock } from '../config/provider-block';
import type { TomlFile } from '../toml/toml-file';
import type { TableValues } from '../toml/values';
import { renderTable } from '../toml/values';

/** Which hosts mngr's ssh provider shows, and under which name. */
export interface SshProvider {
  /** Name of the launcher's provider block, whose hosts they are. */
  readonly provider: string;
  /** Name of the ssh provider in mngr's settings, and what follows the dot in `AGENT@HOST.NAME`. */
  readonly sshProvider: string;
}

/**
 * mngr's commands that look for hosts before they do anything, by the names that `pre_command_scripts` knows (mngr 0.3.0,
 * cli/*.py). `clone` and `migrate` count as `create`.
 */
export const COMMANDS_WITH_HOSTS = [
  'list',
  'create',
  'connect',
  'message',
  'exec',
  'start',
  'stop',
  'destroy',
  'gc',
  'limit',
  'rename',
  'label',
  'rsync',
  'git_push',
  'git_pull',
  'capture',
  'transcript',
  'event',
  'observe',
  'ask',
  'archive',
  'cleanup',
] as const;

/**
 * The block of mngr's `ssh` provider. Its file is the provider's default (dynamicHostsFileOf). mngr's garbage
 * collection would try to destroy hosts without agents, which this provider can't, and would end with an error; no host
 * is ever old enough for it.
 */
const BLOCK: TableValues = {
  backend: 'ssh',
  host_dir: DEFAULT_HOST_DIRECTORY,
  min_online_host_age_seconds: 1e12,
};

const SCRIPTS = ['pre_command_scripts'];

/** What mngr runs before its commands. A failing sync must not stop mngr from working. */
export const syncScript = ({ provider, sshProvider }: SshProvider): string =>
  `mngr-fargate mngr sync --provider ${provider} --pool ${sshProvider} || true`;

/** True for a script that syncs this provider, whatever its version. */
const syncs = (script: unknown, { sshProvider }: SshProvider): boolean =>
  typeof script === 'string' &&
  new RegExp(String.raw`\bmngr-fargate\b.* mngr sync\b.*--pool ${sshProvider}(?:\s|$)`).test(script);

/** The two complete tables, for anyone who wants to write them by hand. */
export function renderSshProviderSettings(wanted: SshProvider): string {
  const scripts = COMMANDS_WITH_HOSTS.map((command) => [command, [syncScript(wanted)]] as const);
  return [renderProviderBlock(wanted.sshProvider, BLOCK), renderTable(SCRIPTS, Object.fromEntries(scripts))].join('\n');
}

/**
 * The settings.toml with the provider's block and its sync before every command that looks for hosts. Everything else
 * stays byte for byte the same. Throws `usage` when the block's name belongs to another backend.
 */
export function withSshProvider(file: TomlFile, wanted: SshProvider): TomlFile {
  const { sshProvider } = wanted;
  const table = providerTable(sshProvider);
  const { backend = sshProvider } = file.table(table) ?? BLOCK;
  if (backend !== BLOCK.backend) {
    throw new MngrFargateError(
      'usage',
      `${file.path} has [providers.${sshProvider}] with backend ${JSON.stringify(backend)}`,
      {
        hint: 'mngr with the fargate plugin needs no ssh provider; to have one as well, name it with --provider-name',
        details: { file: file.path, provider: sshProvider, backend },
      },
    );
  }
  return file.withValues(table, BLOCK).withValues(SCRIPTS, scriptsWithSync(file, wanted));
}

/** The lists of scripts with ours in them. A sync of an older version is replaced in place. */
function scriptsWithSync(file: TomlFile, wanted: SshProvider): TableValues {
  const script = syncScript(wanted);
  return Object.fromEntries(
    COMMANDS_WITH_HOSTS.map((command) => {
      const scripts = scriptsIn(file, command);
      const at = scripts.findIndex((one) => syncs(one, wanted));
      return [command, at === -1 ? [...scripts, script] : scripts.with(at, script)];
    }),
  );
}

function scriptsIn(file: TomlFile, command: string): string[] {
  const scripts = file.table(SCRIPTS)?.[command] ?? [];
  if (Array.isArray(scripts) && scripts.every((script) => typeof script === 'string')) return scripts;
  throw new MngrFargateError('usage', `${file.path}: "${[...SCRIPTS, command].join('.')}" must be a list of commands`);
}

/**
 * The settings.toml without what withSshProvider writes. A block with additional keys of the user's stays: it works
 * without the sync.
 */
export function withoutSshProvider(file: TomlFile, unwanted: SshProvider): TomlFile {
  const lists = Object.keys(file.table(SCRIPTS) ?? {}).map((command) => {
    const all = scriptsIn(file, command);
    return { command, all, kept: all.filter((script) => !syncs(script, unwanted)) };
  });
  const changed = lists.filter(({ all, kept }) => kept.length < all.length);
  const shorter = changed.filter(({ kept }) => kept.length > 0).map(({ command, kept }) => [command, kept] as const);
  const empty = changed.filter(({ kept }) => kept.length === 0).map(({ command }) => command);
  const withoutSync = (shorter.length === 0 ? file : file.withValues(SCRIPTS, Object.fromEntries(shorter))).withoutKeys(
    SCRIPTS,
    empty,
  );

  const table = providerTable(unwanted.sshProvider);
  const block = Object.entries(withoutSync.table(table) ?? {});
  const isOurs = block.every(([key, value]) => isDeepStrictEqual(BLOCK[key], value));
  return isOurs ? withoutSync.withoutKeys(table, Object.keys(BLOCK)) : withoutSync;
}
