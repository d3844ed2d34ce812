import { join } from 'node:path';
import { SANDBOX_USER, SANDBOXD_DIRECTORY, WORKSPACE } from '../../lib/contract/sandboxd';

/** Where an engine keeps its things, and for whom it works. */
export interface Settings {
  /** The engine's folder: root's, 0711, so that user code can open its own pipes below it by name, and nothing else. */
  readonly directory: string;
  readonly workspace: string;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };
  /** How much output of commands that have ended is kept altogether, in bytes. */
  readonly outputBudget: number;
}

export interface Places {
  readonly socket: string;
  /** SHA-256 of the token, 0600. The token itself is nowhere. */
  readonly tokenHash: string;
  readonly lock: string;
  readonly journal: string;
  /** Output of commands, 0700. */
  readonly output: string;
  /** Named pipes of commands, 0711: each belongs to the user whose command uses it, and has a name that can't be guessed. */
  readonly pipes: string;
}

export const placesIn = (directory: string): Places => ({
  socket: join(directory, 'socket'),
  tokenHash: join(directory, 'token.sha256'),
  lock: join(directory, 'lock'),
  journal: join(directory, 'journal'),
  output: join(directory, 'output'),
  pipes: join(directory, 'pipes'),
});

const GIB = 1024 ** 3;

/** Options of the command line, each `--name value`. Without them the engine works as in the image. */
export function settingsFrom(args: readonly string[]): Settings {
  const given = new Map<string, string>();
  for (let index = 0; index < args.length; index += 2) {
    const [name, value] = [args[index] ?? '', args[index + 1]];
    if (!['--directory', '--workspace', '--home', '--output-budget'].includes(name)) {
      throw new Error(`unknown option ${name}: allowed are --directory, --workspace, --home and --output-budget`);
    }
    if (value === undefined || value === '') throw new Error(`option ${name} has no value: give one after it`);
    given.set(name, value);
  }
  const outputBudget = Number(given.get('--output-budget') ?? GIB);
  if (!Number.isSafeInteger(outputBudget) || outputBudget < 0) {
    throw new Error(`--output-budget ${given.get('--output-budget')} is not a number of bytes: give a whole number`);
  }
  const ownUser = process.getuid?.() ?? 0;
  const root = ownUser === 0;
  return {
    directory: given.get('--directory') ?? SANDBOXD_DIRECTORY,
    workspace: given.get('--workspace') ?? WORKSPACE,
    user: {
      name: SANDBOX_USER.name,
      uid: root ? SANDBOX_USER.uid : ownUser,
      gid: root ? SANDBOX_USER.gid : (process.getgid?.() ?? 0),
      home: given.get('--home') ?? SANDBOX_USER.home,
    },
    outputBudget,
  };
}

export const settingsArguments = (settings: Settings): string[] => [
  '--directory',
  settings.directory,
  '--workspace',
  settings.workspace,
  '--home',
  settings.user.home,
  '--output-budget',
  String(settings.outputBudget),
];
