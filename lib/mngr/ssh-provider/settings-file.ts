import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_HOST_DIRECTORY } from '../../contract/boot-variables';
import { MngrFargateError } from '../../contract/errors';
import { parseToml } from '../toml/toml-file';
import type { TableValues } from '../toml/table-edit';
import { renderTable, tableAt, withTableValues } from '../toml/table-edit';
import { withoutTableKeys } from '../toml/table-removal';

/** Which hosts mngr is to see, and as what. */
export interface MngrPool {
  /** Name of the launcher's provider block, whose hosts they are. */
  readonly provider: string;
  /** Name of the provider block in mngr's settings; what stands behind the dot in `AGENT@HOST.POOL`. */
  readonly pool: string;
}

/**
 * mngr's commands that look for hosts before they do anything, by the names that `pre_command_scripts` knows (mngr 0.3.0,
 * cli/*.py). `clone` and `migrate` count as `create`.
 */
export const COMMANDS_WITH_HOSTS = [
  ...['list', 'create', 'connect', 'message', 'exec', 'start', 'stop', 'destroy', 'gc', 'limit', 'rename', 'label'],
  ...['rsync', 'git_push', 'git_pull', 'capture', 'transcript', 'event', 'observe', 'ask', 'archive', 'cleanup'],
] as const;

/**
 * The block of mngr's `ssh` provider. Its file is the one that the provider looks for by itself (dynamicHostsFileOf).
 * mngr's garbage collection would destroy hosts without agents, which this provider can't, and ends with an error: the
 * age keeps it from trying.
 */
const POOL_VALUES: TableValues = {
  backend: 'ssh',
  host_dir: DEFAULT_HOST_DIRECTORY,
  min_online_host_age_seconds: 1e12,
};

const SCRIPTS = ['pre_command_scripts'];
const blockOf = (pool: string): string[] => ['providers', pool];

/** What mngr runs before its commands. A sync that fails must not keep mngr from its work. */
export const syncScript = ({ provider, pool }: MngrPool): string =>
  `mngr-fargate mngr sync --provider ${provider} --pool ${pool} || true`;

/** True for a script that syncs this pool, of whichever version. */
const syncs = (script: unknown, { pool }: MngrPool): boolean =>
  typeof script === 'string' &&
  new RegExp(String.raw`\bmngr-fargate\b.* mngr sync\b.*--pool ${pool}(?:\s|$)`).test(script);

/** The two tables as a whole, for somebody who wants to write them by hand. */
export const renderPoolSettings = (pool: MngrPool): string =>
  [renderTable(blockOf(pool.pool), POOL_VALUES), renderTable(SCRIPTS, scriptsWith({}, pool, ''))].join('\n');

/**
 * The text of a settings.toml with the pool's block and its sync before every command that looks for hosts. All else
 * stays byte for byte. Throws `usage` when another backend has the block's name.
 */
export function withPool(text: string, pool: MngrPool, path: string): string {
  const block = tableAt(parseToml(text, path), blockOf(pool.pool), path);
  const { backend = pool.pool } = block ?? { backend: POOL_VALUES.backend };
  if (backend !== POOL_VALUES.backend) {
    throw new MngrFargateError(
      'usage',
      `${path} has [providers.${pool.pool}] with backend ${JSON.stringify(backend)}`,
      {
        hint: 'mngr with the fargate plugin needs no pool; to have one besides, name it with --provider-name',
        details: { file: path, provider: pool.pool, backend },
      },
    );
  }
  const withBlock = withTableValues(text, blockOf(pool.pool), POOL_VALUES, path);
  const present = tableAt(parseToml(withBlock, path), SCRIPTS, path) ?? {};
  return withTableValues(withBlock, SCRIPTS, scriptsWith(present, pool, path), path);
}

/** The lists of scripts with ours in them; a sync of an older version gives way where it stands. */
function scriptsWith(present: Readonly<Record<string, unknown>>, pool: MngrPool, path: string): TableValues {
  const script = syncScript(pool);
  return Object.fromEntries(
    COMMANDS_WITH_HOSTS.map((command) => {
      const scripts = scriptsIn(present, command, path);
      const at = scripts.findIndex((one) => syncs(one, pool));
      return [command, at === -1 ? [...scripts, script] : scripts.with(at, script)];
    }),
  );
}

function scriptsIn(present: Readonly<Record<string, unknown>>, command: string, path: string): string[] {
  const scripts = present[command] ?? [];
  if (Array.isArray(scripts) && scripts.every((script) => typeof script === 'string')) return scripts;
  throw new MngrFargateError('usage', `${path}: "${[...SCRIPTS, command].join('.')}" must be a list of commands`);
}

/** The text without what withPool writes. A block that holds keys of the user's own stays: it works without the sync. */
export function withoutPool(text: string, pool: MngrPool, path: string): string {
  const scripts = tableAt(parseToml(text, path), SCRIPTS, path) ?? {};
  const others = Object.keys(scripts).map((command) => {
    const all = scriptsIn(scripts, command, path);
    return { command, all, kept: all.filter((script) => !syncs(script, pool)) };
  });
  const shorter = others.filter(({ all, kept }) => kept.length > 0 && kept.length < all.length);
  const empty = others.filter(({ all, kept }) => kept.length === 0 && all.length > 0);
  let result = text;
  if (shorter.length > 0) {
    const values = Object.fromEntries(shorter.map(({ command, kept }) => [command, kept]));
    result = withTableValues(result, SCRIPTS, values, path);
  }
  result = withoutTableKeys(
    result,
    SCRIPTS,
    empty.map(({ command }) => command),
    path,
  );
  const block = tableAt(parseToml(result, path), blockOf(pool.pool), path) ?? {};
  const isOurs = Object.entries(block).every(([key, value]) => isDeepStrictEqual(POOL_VALUES[key], value));
  return isOurs ? withoutTableKeys(result, blockOf(pool.pool), Object.keys(POOL_VALUES), path) : result;
}
