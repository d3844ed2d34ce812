import { parseArgs } from 'node:util';
import '../lib/cli/quiet-aws-sdk';
import { runSandbox, welcome } from '../lib/cli/local/run-sandbox';
import { isMngrFargateError } from '../lib/contract/errors';
import { findEngine } from '../lib/local/runtimes';
import { canInstall, ensureSystemPackages } from './prerequisites';

/**
 * `npm run sandbox`: the sandbox service in the foreground, on the local endpoint unless AWS_ENDPOINT_URL,
 * MNGR_FARGATE_SUBNETS or SANDBOX_STACK name another place. Ends on SIGTERM and Ctrl-C.
 */
const USAGE = `usage: npm run sandbox -- [--port PORT] [--host ADDRESS] [--json] [--down]

  --port PORT     port to listen on (default: any free one)
  --host ADDRESS  address to listen on (default: 127.0.0.1)
  --json          print one line {"url","key","pid","dataDirectory"} when the service answers
  --down          at the end, destroy the sandboxes and the local endpoint (default: leave them for the next start)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      json: { type: 'boolean', default: false },
      down: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { port, host, json, down } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    console.error(`--port is ${JSON.stringify(port)}: use 0 to 65535`);
    return 2;
  }
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
  // With an engine they are needed only if it can't get the image.
  if (canInstall() || (await findEngine()) === undefined) quietly(ensureSystemPackages);
  await runSandbox({
    environment: process.env,
    ...{ host, port: Number(port), down },
    signal: abort.signal,
    onProgress: (line) => console.error(line),
    onReady: (service) => process.stdout.write(json ? `${JSON.stringify(service)}\n` : welcome(service)),
  });
  return 0;
}

/** What is installed is reported on stderr: stdout has only the result. */
function quietly(work: () => void): void {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  try {
    work();
  } finally {
    process.stdout.write = write;
  }
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: Error) => {
    const hint = isMngrFargateError(error) && error.hint !== undefined ? `\n  ${error.hint}` : '';
    console.error(`sandbox: ${error.message}${hint}`);
    process.exit(isMngrFargateError(error) && error.code === 'aborted' ? 130 : 1);
  },
);
