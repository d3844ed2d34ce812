/**
 * A sandbox service in a process of its own, which kills itself with SIGKILL before the first SQL statement that contains a
 * text. Run with tsx; its settings come as JSON in the first argument. Prints one line when it answers.
 */
import '../../../lib/cli/quiet-aws-sdk';
import Sqlite from 'better-sqlite3';
import type { ProviderConfig } from '../../../lib/contract/provider-config';
import { serveSandbox } from '../../../lib/sandbox/serve';
import { settingsOfEnvironment } from '../../../lib/sandbox/settings';

export interface ServiceProcessSettings {
  readonly config: ProviderConfig;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly dataDirectory: string;
  /** Part of the statement; and how many of them are let through. */
  readonly dieBefore?: string;
  readonly after?: number;
}

const {
  config,
  endpoint,
  credentials,
  dataDirectory,
  dieBefore,
  after = 0,
} = JSON.parse(process.argv[2] ?? '') as ServiceProcessSettings;

let left = after;
const { prepare } = Sqlite.prototype as unknown as { prepare: (this: unknown, sql: string) => Record<string, unknown> };
if (dieBefore !== undefined) {
  (Sqlite.prototype as unknown as { prepare: unknown }).prepare = function (this: unknown, sql: string) {
    const statement = prepare.call(this, sql);
    if (!sql.includes(dieBefore)) return statement;
    for (const name of ['run', 'get'] as const) {
      const call = statement[name] as (...values: unknown[]) => unknown;
      statement[name] = (...values: unknown[]) => {
        left -= 1;
        if (left < 0) process.kill(process.pid, 'SIGKILL');
        return call.apply(statement, values);
      };
    }
    return statement;
  };
}

void serveSandbox({
  settings: {
    ...settingsOfEnvironment({ SANDBOX_DATA_DIRECTORY: dataDirectory, SANDBOX_SECRET: 'the-operators-own' }),
    cpu: 256,
    memory: 512,
  },
  config,
  aws: { endpoint, credentials: () => Promise.resolve(credentials) },
}).then((running) => {
  process.stdout.write(`${JSON.stringify({ url: running.url, key: running.key })}\n`);
  process.once('SIGTERM', () => void running.close().then(() => process.exit(0)));
});
