import type { Command } from 'commander';
import type { ApiSession } from '../../../sandbox/client';
import type { CliContext } from '../../context';
import { collect } from '../../global-options';
import { parseDuration, WAITED_FOR } from '../../parse/duration';
import { keyValues } from '../../parse/key-value';
import { formatSeconds } from '../../render/format';
import { renderTable } from '../../render/table';
import type { Runner } from '../../runner';
import { shown } from '../../watch';
import { withService } from './connection';

interface ListOptions {
  readonly all?: boolean;
  readonly metadata?: readonly string[];
  readonly watch?: boolean;
  readonly interval: string;
}

async function list(context: CliContext, options: ListOptions): Promise<number> {
  const interval = parseDuration(options.interval, '--interval', WAITED_FOR);
  const metadata = keyValues(options.metadata ?? [], '--metadata');
  const status: ApiSession['status'][] = ['active', 'stale', ...(options.all === true ? (['destroyed'] as const) : [])];
  return withService(context, (client) =>
    shown(
      context,
      options.watch === true ? interval : undefined,
      async () => {
        const found: ApiSession[] = [];
        for await (const { info } of client.list({ metadata, status, signal: context.signal })) found.push(info);
        return found;
      },
      (found) => (found.length === 0 ? 'no sandboxes\n' : sessionTable(found, Date.now())),
    ),
  );
}

const sessionTable = (sessions: readonly ApiSession[], now: number): string =>
  renderTable([
    ['ID', 'STATUS', 'AGE', 'IDLE', 'TIME LEFT', 'SIZE', 'METADATA'],
    ...sessions.map((session) => [
      session.id,
      session.status === 'active' && !session.ready ? 'starting' : session.status,
      formatSeconds(((session.destroyedAt ?? now) - session.createdAt) / 1000),
      session.status === 'destroyed' ? '-' : formatSeconds((now - session.lastActiveAt) / 1000),
      session.status === 'destroyed' ? (session.endReason ?? '-') : formatSeconds((session.expiresAt - now) / 1000),
      `${session.cpu / 1024} vCPU, ${session.memory / 1024} GB`,
      Object.entries(session.metadata)
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(', '),
    ]),
  ]);

/** `sandbox list` */
export function listCommand(sandbox: Command, runner: Runner): void {
  sandbox
    .command('list')
    .description('list the sandboxes of the key')
    .option('--all', 'also those that were destroyed lately, and why')
    .option('--metadata <key=value>', 'only those with this label; repeatable', collect)
    .option('--watch', 'update the list until Ctrl-C')
    .option('--interval <duration>', 'time between two updates of --watch', '2s')
    .action(runner.action(list));
}
