import type { Command } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { ApiKey } from '../../../sandbox/client';
import type { CliContext } from '../../context';
import { renderTable } from '../../render/table';
import type { Runner } from '../../runner';
import { withService } from './connection';

interface CreateOptions {
  readonly admin?: boolean;
  readonly rate?: string;
  readonly tenant?: string;
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate > 0) return rate;
  throw new MngrFargateError('usage', `--rate takes calls a second, such as 10 or 0.5, not ${JSON.stringify(text)}`);
}

async function create(context: CliContext, name: string, options: CreateOptions): Promise<void> {
  const rate = options.rate === undefined ? undefined : rateOf(options.rate);
  const request = { name, tenant: options.tenant, admin: options.admin, rate, signal: context.signal };
  const made = await withService(context, (client) => client.createKey(request));
  if (!context.json) context.note(`mngr-fargate: the key of ${name}; it is shown this once`);
  context.result({ ...made }, () => `${made.key}\n`);
}

async function list(context: CliContext): Promise<void> {
  const keys = await withService(context, (client) => client.listKeys({ signal: context.signal }));
  context.result(keys, () => (keys.length === 0 ? 'no keys\n' : keyTable(keys)));
}

const date = (time: number | null): string => (time === null ? '-' : new Date(time).toISOString().slice(0, 19) + 'Z');

const keyTable = (keys: readonly ApiKey[]): string =>
  renderTable([
    ['NAME', 'ID', 'TENANT', 'ADMIN', 'RATE', 'CREATED', 'LAST USED', 'REVOKED'],
    ...keys.map(({ name, id, tenant, admin, rate, createdAt, lastUsedAt, revokedAt }) => [
      ...[name, id, tenant, admin ? 'yes' : 'no', rate === null ? '-' : `${rate}/s`],
      ...[createdAt, lastUsedAt, revokedAt].map(date),
    ]),
  ]);

async function revoke(context: CliContext, name: string): Promise<void> {
  const key = await withService(context, (client) => client.revokeKey(name, { signal: context.signal }));
  context.result(key, () => `${key.name}: revoked\n`);
}

/** `sandbox keys create`, `list` and `revoke` */
export function keysCommands(sandbox: Command, runner: Runner): void {
  const keys = sandbox.command('keys').description('make, list and revoke keys of the service; for admins');
  keys
    .command('create')
    .description('make a key and print it, this once')
    .argument('<name>', 'who or what it is for')
    .option('--admin', 'may manage keys and see the sandboxes of all tenants')
    .option('--rate <per-second>', "calls a second that it may make (default: the service's)")
    .option('--tenant <name>', 'share the sandboxes of this tenant (default: a tenant of its own)')
    .action(runner.action(create));
  keys.command('list').description('list the keys, without the keys themselves').action(runner.action(list));
  keys
    .command('revoke')
    .description('make a key useless at once')
    .argument('<name>', 'name or id of the key')
    .action(runner.action(revoke));
}
