import type { Command } from 'commander';
import type { CliContext } from '../../context';
import { parseCount } from '../../parse/size';
import type { Runner } from '../../runner';

interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly down?: boolean;
}

async function serve(context: CliContext, { port, host, down = false }: ServeOptions): Promise<void> {
  const { runSandbox, welcome } = await import('../../local/run-sandbox.js');
  await runSandbox({
    environment: context.io.environment,
    ...{ host, port: parseCount(port, '--port', { least: 0, most: 65_535 }), down },
    signal: context.signal,
    onProgress: (line) => context.note(line),
    onReady: (service) => context.result({ ...service }, () => welcome(service)),
  });
}

/** `sandbox serve` */
export function serveCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('serve')
    .description('run the service in the foreground, on this machine unless AWS settings name another place')
    .option('--port <port>', 'port to listen on; 0 is any free one', '0')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--down',
      'at the end, destroy the sandboxes and the local endpoint (default: leave them for the next start)',
    )
    .action(runner.action(serve));
}
