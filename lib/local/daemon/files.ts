import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { MngrFargateError } from '../../contract/errors';
import { writePrivateFileSync } from '../../util/atomic-file';
import { assertPrivateFolder, ensurePrivateFolder } from '../../util/private-folder';

/** The purpose of its folder, for errors. */
const PURPOSE = "the local endpoint's keys and scripts";

/** Environment variable that says where the endpoint keeps its state. */
export const LOCAL_DIRECTORY_VARIABLE = 'MNGR_FARGATE_LOCAL_DIR';

/** Where the endpoint keeps its state unless told otherwise: `$MNGR_FARGATE_LOCAL_DIR`, else `~/.mngr-fargate/local`. */
export function defaultStateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(environment[LOCAL_DIRECTORY_VARIABLE] ?? join(homedir(), '.mngr-fargate', 'local'));
}

const descriptionSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  accountId: z.string(),
  stackName: z.string(),
  outputs: z.record(z.string(), z.string()),
  env: z.object({
    AWS_ENDPOINT_URL: z.string(),
    AWS_REGION: z.string(),
    AWS_DEFAULT_REGION: z.string(),
    AWS_ACCESS_KEY_ID: z.string(),
    AWS_SECRET_ACCESS_KEY: z.string(),
  }),
  controlToken: z.string(),
});

const daemonSchema = z.object({
  pid: z.int(),
  port: z.int(),
  runtime: z.enum(['container', 'process']),
  /** A hash of the assembly's template and assets, which shows whether an `up` changes anything. */
  assemblyHash: z.string(),
  description: descriptionSchema,
});

/** What a running daemon says about itself, kept after it ends for the next start. */
export type DaemonRecord = z.infer<typeof daemonSchema>;

/** What a daemon is started with. */
export const daemonConfigurationSchema = z.object({
  stateDirectory: z.string(),
  assemblyDirectory: z.string(),
  assemblyHash: z.string(),
  stackName: z.string(),
  region: z.string(),
  accountId: z.string(),
  /** 0 means a free one. */
  port: z.int().min(0).max(65_535),
  /** True when another port will do if the port is taken. */
  portMayChange: z.boolean(),
  runtime: z.enum(['auto', 'container', 'process']),
});

export type DaemonConfiguration = z.infer<typeof daemonConfigurationSchema>;

/** The files of one endpoint. Directories are made with mode 0700, files with 0600: they hold access keys. */
export class LocalFiles {
  constructor(readonly directory: string) {}

  get state(): string {
    return join(this.directory, 'state');
  }

  get runtime(): string {
    return join(this.directory, 'runtime');
  }

  get log(): string {
    return join(this.directory, 'daemon.log');
  }

  /** Locked by starts and stops of the daemon (withFileLock). */
  get lock(): string {
    return join(this.directory, 'up');
  }

  get configuration(): string {
    return join(this.directory, 'configuration.json');
  }

  private get record(): string {
    return join(this.directory, 'daemon.json');
  }

  /** Tells the tasks of several endpoints on one machine apart; the same after a restart. */
  get endpointId(): string {
    return createHash('sha256').update(this.directory).digest('hex').slice(0, 12);
  }

  /** Throws `denied` when another user owns the folder, or may write to it. */
  make(): void {
    ensurePrivateFolder(this.directory, PURPOSE);
  }

  /** What the last daemon said; undefined when there was none. Throws `denied` for a folder that others may write to. */
  readRecord(): DaemonRecord | undefined {
    let text: string;
    try {
      assertPrivateFolder(this.directory, PURPOSE);
      text = readFileSync(this.record, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const parsed = daemonSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new MngrFargateError('failed', `${this.record} was not written by any version of this program`, {
      cause: parsed.error,
      hint: `remove ${this.directory} once nothing in it is running`,
    });
  }

  writeRecord(record: DaemonRecord): void {
    writeDocument(this.record, record);
  }

  writeConfiguration(configuration: DaemonConfiguration): void {
    writeDocument(this.configuration, configuration);
  }
}

const writeDocument = (path: string, value: unknown): void =>
  writePrivateFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

/** Hash of what an assembly deploys. */
export function hashAssembly(directory: string, stackName: string): string {
  const hash = createHash('sha256');
  for (const kind of ['template', 'assets']) {
    const path = join(directory, `${stackName}.${kind}.json`);
    try {
      hash.update(readFileSync(path));
    } catch (error) {
      throw new MngrFargateError('not-found', `${path} can't be read`, {
        cause: error,
        hint: 'synthesize the stack first: npx cdk synth',
      });
    }
  }
  return hash.update(resolve(directory)).digest('hex');
}
