import { isMngrFargateError } from '../lib/contract/errors';
import { loadProviderConfig } from '../lib/mngr';
import { serveSandbox } from '../lib/sandbox/serve';
import { settingsOfEnvironment } from '../lib/sandbox/settings';

/** The sandbox service as the program of its image: all that it is told are variables of its environment. */
async function main(): Promise<void> {
  const { env } = process;
  const settings = settingsOfEnvironment(env);
  for (const note of settings.notes) console.error(note);
  const { config } = await loadProviderConfig({
    baseDirectory: settings.dataDirectory,
    environment: env,
    part: 'sandboxes',
  });
  const running = await serveSandbox({
    settings,
    // The service ends its sandboxes itself.
    config: { ...config, default_idle_timeout: 0, default_max_age: undefined },
    host: env.SANDBOX_HOST ?? '0.0.0.0',
    port: Number(env.SANDBOX_PORT ?? 8080),
    // Only its load balancer reaches it.
    http: { behindProxy: true, onRequest: (line) => console.log(JSON.stringify(line)) },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running.close().then(() => process.exit(0), failed));
  }
  console.error(`sandboxes at ${running.url}`);
}

function failed(error: Error): never {
  const hint = isMngrFargateError(error) && error.hint !== undefined ? `\n  ${error.hint}` : '';
  console.error(`sandbox service: ${error.message}${hint}`);
  process.exit(1);
}

main().catch(failed);
