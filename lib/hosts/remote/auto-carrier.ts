import type { Duplex } from 'node:stream';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { pause } from '../../util/abort';
import type { SshPort } from '../ecs/ssh-port';
import type { Host, HostAddress } from '../model/types';
import type { Carrier, NewHost, ReachedHost, Route } from './carrier';
import type { DirectCarrier } from './direct-carrier';
import type { SessionCarrier } from './session-carrier';

/**
 * How long, in milliseconds, an open port has to answer before a session is started beside it. A security group drops
 * packets of strangers without an answer, so waiting longer would tell nothing.
 */
const HEAD_START_MS = 2_500;

/** Errors that say nothing about the host itself, so that the other way may still get there. */
const NO_WAY: ReadonlySet<string> = new Set(['unreachable', 'timed-out', 'failed']);

const isNoWay = (error: unknown): error is MngrFargateError => isMngrFargateError(error) && NO_WAY.has(error.code);

/**
 * The host's own address where the security group lets anybody in, else Session Manager. With an open port both are tried,
 * the session a moment later, since only an answer shows that this machine is among those who are let in. With a closed
 * port the address is what is left to try for a host without a working agent.
 */
export class AutoCarrier implements Carrier {
  constructor(
    private readonly direct: DirectCarrier,
    private readonly session: SessionCarrier,
    private readonly port: SshPort,
  ) {}

  async reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost> {
    if (await this.isClosed(signal)) {
      return orElse(this.session.reach(host, signal, onFound), () => this.direct.reach(host, signal, onFound), signal);
    }
    return firstOf(
      (either) => this.direct.reach(host, either, onFound),
      async (either) => {
        // sshd starts before the agent, so a port that can be reached has answered by then, or is about to.
        await this.session.targetOf(host, either);
        await pause(HEAD_START_MS, `waiting for SSH on ${host.name}`, either);
        return this.session.reach(host, either, () => undefined);
      },
      { discard: ({ channel }) => channel.close(), signal },
    );
  }

  async connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel> {
    if (host.address === null) return this.session.connect(host, privateKey, signal);
    if (await this.isClosed(signal)) {
      const direct = (): Promise<HostChannel> => this.direct.connect(host, privateKey, signal);
      return orElse(this.session.connect(host, privateKey, signal), direct, signal);
    }
    return firstOf(
      (either) => this.direct.connect(host, privateKey, either),
      async (either, directFailed) => {
        await Promise.race([pause(HEAD_START_MS, `waiting for SSH on ${host.name}`, either), directFailed]);
        return this.session.connect(host, privateKey, either);
      },
      { discard: (channel) => channel.close(), signal },
    );
  }

  async routeTo(host: Host, signal?: AbortSignal): Promise<Route> {
    if (host.address === null) return 'session';
    if ((await this.isClosed(signal)) && (await this.session.isPossible(host, signal))) return 'session';
    return (await this.direct.answers(host, HEAD_START_MS, signal)) ? 'direct' : 'session';
  }

  addressFor(host: Host): HostAddress | null {
    return this.direct.addressFor(host);
  }

  async open(host: Host, signal?: AbortSignal): Promise<Duplex> {
    return (await this.routeTo(host, signal)) === 'direct'
      ? this.direct.open(host, signal)
      : this.session.open(host, signal);
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private async isClosed(signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.port.isOpen(signal)) === false;
  }
}

/** The second way where the first says that it leads nowhere; its error if neither does. */
async function orElse<Result>(
  first: Promise<Result>,
  second: () => Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  try {
    return await first;
  } catch (error) {
    if (!isNoWay(error) || signal?.aborted) throw error;
    return await second().catch((problem: unknown) => {
      throw isNoWay(problem) ? error : problem;
    });
  }
}

interface RaceOptions<Result> {
  /** Ends the result of whoever comes second. */
  readonly discard: (result: Result) => void;
  readonly signal?: AbortSignal;
}

/**
 * The first of two ways that succeeds; the other is aborted. What the direct way says about the host itself, such as a
 * wrong key, counts at once. Otherwise both have to fail.
 */
async function firstOf<Result>(
  direct: (signal: AbortSignal) => Promise<Result>,
  session: (signal: AbortSignal, directFailed: Promise<void>) => Promise<Result>,
  { discard, signal }: RaceOptions<Result>,
): Promise<Result> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  let decided = false;
  const entered = (way: Promise<Result>): Promise<Result> =>
    way.then((result) => {
      if (decided) {
        discard(result);
        return result;
      }
      decided = true;
      over.abort();
      return result;
    });

  const first = entered(direct(either));
  const directFailed = first.then(
    () => undefined,
    () => undefined,
  );
  const second = entered(session(either, directFailed));
  second.catch(() => undefined);
  try {
    return await Promise.race([first, second.catch(() => first)]);
  } catch (error) {
    if (!isNoWay(error)) {
      decided = true;
      over.abort();
      throw error;
    }
    return await second.catch((problem: unknown) => {
      throw neither(error, problem);
    });
  }
}

function neither(direct: MngrFargateError, session: unknown): MngrFargateError {
  const { code, message, hint, details, cause } = direct;
  const other = session instanceof Error ? session.message : String(session);
  return new MngrFargateError(code, `${message}; through Session Manager: ${other}`, { cause, hint, details });
}
