import { Readable, Writable } from 'node:stream';
import { isProviderName } from '../../contract/host-name';
import { MngrFargateError } from '../../contract/errors';
import type { Hosts } from '../../hosts/hosts';
import type { Host } from '../../hosts/model/types';
import type { LeftOutHost } from '../../mngr/index';
import type { CliContext } from '../context';
import { parseDuration, WAITED_FOR } from '../parse/duration';

export interface MngrSyncOptions {
  readonly pool?: string;
  readonly timeout: string;
}

/** A session with a host that runs takes a second or two. */
const LOGIN_PATIENCE_MS = 20_000;

const REASONS: Readonly<Record<LeftOutHost['reason'], string>> = {
  'not-ready': 'it is not ready yet',
  'no-key': 'its key is on the machine that created it',
  'no-answer': 'its SSH server does not answer',
  'name-taken': 'an older host has the same name',
};

/** `mngr sync` */
export async function mngrSync(context: CliContext, options: MngrSyncOptions): Promise<void> {
  const seconds = parseDuration(options.timeout, '--timeout', WAITED_FOR);
  const sshProvider = options.pool ?? context.options.provider;
  if (!isProviderName(sshProvider)) {
    throw new MngrFargateError('usage', `${JSON.stringify(sshProvider)} is not a provider name`);
  }
  const mngr = await import('../../mngr/index.js');
  const base = mngr.mngrBaseDirectory(context.io.environment);
  const profile = await mngr.ensureProfile(base);
  const file = mngr.dynamicHostsFileOf(base, profile, sshProvider);
  const keyDirectory = mngr.keyDirectoryOf(base, profile);
  const { sshConfigOf } = await import('../../hosts/index.js');
  const isWritten = sshConfigOf(keyDirectory).isWritten();
  const { problem, ...synced } = await mngr.syncDynamicHosts({
    file,
    sshProvider,
    keyDirectory,
    logIn: isWritten ? logInWith(context) : undefined,
    listHosts: () => listWithin(context, seconds, isWritten),
    signal: context.signal,
  });
  if (problem !== undefined) throw problem;

  for (const { name, reason } of synced.leftOut) context.note(`${name} is left out: ${REASONS[reason]}`);
  context.result({ file, pool: sshProvider, ...synced }, () => {
    const count = synced.hosts.length;
    const which = `${count === 1 ? '1 host' : `${count} hosts`} of ${sshProvider}`;
    return synced.changed ? `wrote ${which} into ${file}\n` : `${file} already has the ${which}\n`;
  });
}

/** Logs in to a host that mngr doesn't know yet, however it is reached, and writes mngr's name for it there. */
const logInWith =
  (context: CliContext) =>
  async (hostId: string, mngrHostId: string, name: string): Promise<boolean> => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LOGIN_PATIENCE_MS)]);
    const { NAME_SCRIPT } = await import('../../mngr/index.js');
    const discard = (): Writable => new Writable({ write: (_piece, _encoding, done) => done() });
    try {
      await context.withHosts((hosts) =>
        hosts.exec(hostId, ['sh', '-s', mngrHostId, name], {
          ...{ stdin: Readable.from([NAME_SCRIPT]), stdout: discard(), stderr: discard(), signal },
        }),
      );
      return true;
    } catch {
      return false;
    }
  };

/** The running hosts, or an error once the time is up: every mngr command waits for this. */
async function listWithin(context: CliContext, seconds: number, leadsToIds: boolean): Promise<Host[]> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  const signal = AbortSignal.any([context.signal, deadline]);
  const expired = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  expired.catch(() => undefined);
  const list = (hosts: Hosts): Promise<Host[]> => {
    if (hosts.proxyJump === undefined || leadsToIds) return hosts.list({}, { signal });
    throw new MngrFargateError('usage', `mngr doesn't know the bastion ${hosts.proxyJump} on the way to the hosts`, {
      hint: 'run `mngr-fargate config ssh` once: ssh, and mngr with it, then goes through the bastion',
    });
  };
  try {
    return await Promise.race([expired, context.withHosts(list, { signal })]);
  } catch (error) {
    if (!deadline.aborted || context.signal.aborted) throw error;
    throw new MngrFargateError('timed-out', `AWS did not answer within ${seconds} s`, {
      cause: error,
      hint: 'known hosts that still answer were kept; allow more time with --timeout',
    });
  }
}
