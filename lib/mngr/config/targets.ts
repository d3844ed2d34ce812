import * as z from 'zod';
import { MngrFargateError } from '../../contract/errors';
import { writeFileAtomically } from '../../util/atomic-file';
import { withFileLock } from '../../util/file-lock';
import { nearest } from '../../util/nearest';
import { TomlFile } from '../toml/toml-file';
import type { TablePath, TableValues } from '../toml/values';
import { configFileOf } from './base-directory';
import { newProfileId } from './profile';
import { withProfileLine } from './provider-block';

const text = z.string().min(1);

/** One `[targets.NAME]`: a container of an ECS task under a short name (`@NAME`). */
export const targetSchema = z.strictObject({
  /** Name or ARN. */
  cluster: text,
  service: text.optional(),
  family: text.optional(),
  task: text.optional(),
  container: text.optional(),
  aws_region: text.optional(),
  aws_profile: text.optional(),
  aws_role_arn: text.optional(),
});

export type NamedTarget = z.output<typeof targetSchema>;

export type TargetKey = keyof NamedTarget;

/** Every key that a target may have, in the order in which they are written. */
export const TARGET_KEYS = Object.keys(targetSchema.shape) as TargetKey[];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const TABLE = 'targets';

const targetTable = (name: string): TablePath => [TABLE, name];

/** Throws `usage` for an invalid target name. */
export function checkTargetName(name: string): void {
  if (NAME.test(name)) return;
  throw new MngrFargateError('usage', `${JSON.stringify(name)} is not the name of a target`, {
    hint: 'use letters, digits, ".", "-" and "_", beginning with a letter or digit, at most 128 of them',
  });
}

/** What is wrong with an entry; undefined if it is valid. */
function problemOf(value: unknown): string | undefined {
  const { error } = targetSchema.safeParse(value);
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return undefined;
  return `${issue.path.length === 0 ? '' : `${issue.path.join('.')}: `}${issue.message}`;
}

export interface ReadTargets {
  readonly file: string;
  /** By name, in the order of the file. */
  readonly targets: ReadonlyMap<string, NamedTarget>;
  /** Invalid entries, and why they are invalid, by name. */
  readonly problems: ReadonlyMap<string, string>;
}

/** The targets of config.toml. An invalid entry doesn't affect the others. */
export async function readTargets(baseDirectory: string): Promise<ReadTargets> {
  const file = configFileOf(baseDirectory);
  const entries = Object.entries((await TomlFile.read(file)).table([TABLE]) ?? {});
  const targets = new Map<string, NamedTarget>();
  const problems = new Map<string, string>();
  for (const [name, value] of entries) {
    const problem = NAME.test(name) ? problemOf(value) : 'not the name of a target';
    if (problem === undefined) targets.set(name, targetSchema.parse(value));
    else problems.set(name, problem);
  }
  return { file, targets, problems };
}

/** One target. Throws `not-found` if there is none with this name, `usage` if it is invalid. */
export async function readTarget(baseDirectory: string, name: string): Promise<NamedTarget> {
  const { file, targets, problems } = await readTargets(baseDirectory);
  const found = targets.get(name);
  if (found !== undefined) return found;
  const problem = problems.get(name);
  if (problem !== undefined) throw new MngrFargateError('usage', `${file} [targets.${name}]: ${problem}`);
  const meant = nearest(name, [...targets.keys()]);
  throw new MngrFargateError('not-found', `${file} has no target ${name}`, {
    hint:
      meant === undefined
        ? `make it with: mngr-fargate targets set ${name} --cluster CLUSTER --service SERVICE`
        : `did you mean @${meant}?`,
  });
}

/**
 * Sets these keys of targets and removes their other keys; everything else in config.toml stays byte for byte the same.
 * Returns the file's path. Throws `usage` for an invalid name or a target that would be invalid.
 */
export async function writeTargets(baseDirectory: string, targets: ReadonlyMap<string, NamedTarget>): Promise<string> {
  for (const [name, target] of targets) {
    checkTargetName(name);
    const problem = problemOf(target);
    if (problem !== undefined) throw new MngrFargateError('usage', `target ${name}: ${problem}`);
  }
  return edited(baseDirectory, (before) => {
    // Without a profile line, mngr overwrites the file.
    let file = withProfileLine(before, newProfileId());
    for (const [name, target] of targets) {
      const values: TableValues = Object.fromEntries(
        TARGET_KEYS.flatMap((key) => (target[key] === undefined ? [] : [[key, target[key]]])),
      );
      const others = Object.keys(file.table(targetTable(name)) ?? {}).filter((key) => !Object.hasOwn(values, key));
      file = file.withValues(targetTable(name), values).withoutKeys(targetTable(name), others);
    }
    return file;
  });
}

/** Removes a target from config.toml. Throws `not-found` if there is none with this name. */
export async function removeTarget(baseDirectory: string, name: string): Promise<string> {
  return edited(baseDirectory, (file) => {
    const table = file.table(targetTable(name));
    if (table === undefined) throw new MngrFargateError('not-found', `${file.path} has no target ${name}`);
    return file.withoutKeys(targetTable(name), Object.keys(table));
  });
}

async function edited(baseDirectory: string, edit: (file: TomlFile) => TomlFile): Promise<string> {
  const path = configFileOf(baseDirectory);
  await withFileLock(path, async () => {
    const before = await TomlFile.read(path);
    const after = edit(before);
    if (after.text !== before.text) await writeFileAtomically(path, after.text);
  });
  return path;
}
