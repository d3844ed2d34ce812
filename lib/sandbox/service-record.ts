import { readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { writePrivateFile } from '../util/atomic-file';

/** Variable that names another folder for the state of the sandbox service on this machine. */
export const SANDBOX_DIRECTORY_VARIABLE = 'SANDBOX_DATA_DIRECTORY';

/** Where the service keeps its state on this machine, unless told otherwise. */
export const defaultDataDirectory = (environment: NodeJS.ProcessEnv = process.env): string =>
  resolve(environment[SANDBOX_DIRECTORY_VARIABLE] || join(homedir(), '.mngr-fargate', 'sandbox'));

const record = z.object({
  url: z.url({ protocol: /^https?$/ }),
  /** Absent where the operator gave the key: then the operator keeps it. */
  key: z.string().min(1).optional(),
  pid: z.int().positive(),
  dataDirectory: z.string(),
});

/** A service that runs on this machine. The key is an admin's: whoever can read the file owns the service anyway. */
export type ServiceRecord = z.infer<typeof record>;

const fileOf = (dataDirectory: string): string => join(dataDirectory, 'service.json');

/** Written by a service that answers, with mode 0600. */
export const writeServiceRecord = (service: ServiceRecord): Promise<void> =>
  writePrivateFile(fileOf(service.dataDirectory), `${JSON.stringify(service)}\n`);

/** Removed by a service that ends. */
export const removeServiceRecord = (dataDirectory: string): Promise<void> => rm(fileOf(dataDirectory), { force: true });

/** The service that runs on this machine; undefined if none does. */
export async function readServiceRecord(
  dataDirectory: string = defaultDataDirectory(),
): Promise<ServiceRecord | undefined> {
  const text = await readFile(fileOf(dataDirectory), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const found = record.parse(JSON.parse(text));
    return isRunning(found.pid) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** A service that was killed leaves its file behind. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
