import type { Duplex } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import { openSession } from '../../session/index';
import type { PortSession } from '../../session/index';
import { explainExecFailure } from '../doctor/explain';
import type { EcsTasks } from '../ecs-tasks';
import { sessionClients } from '../exec/task-session';
import type { Target } from '../resolve';

/** The sessions behind forwarded ports, one for each destination: opened when needed, and again when one has ended. */
export class PortSessions implements AsyncDisposable {
  private readonly sessions = new Map<string, Promise<PortSession>>();

  constructor(
    private readonly tasks: EcsTasks,
    private readonly target: Target,
    private readonly signal?: AbortSignal,
  ) {}

  /** `host` null is the task itself. Throws as `openSession`. */
  session(host: string | null, port: number): Promise<PortSession> {
    const key = `${host ?? ''} ${port}`;
    const known = this.sessions.get(key);
    if (known !== undefined) return known;
    const opened = this.open(host, port);
    this.sessions.set(key, opened);
    const forget = (): void => {
      if (this.sessions.get(key) === opened) this.sessions.delete(key);
    };
    opened.then(({ ended }) => ended.then(forget, forget), forget);
    return opened;
  }

  async connect(host: string | null, port: number): Promise<Duplex> {
    return (await this.session(host, port)).connect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled(this.sessions.values());
    await Promise.all(opened.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  }

  private async open(host: string | null, port: number): Promise<PortSession> {
    const { sessionTarget } = this.target;
    if (sessionTarget === null) throw notStarted(this.target);
    const clients = await sessionClients(this.tasks);
    const request = { kind: 'port', target: sessionTarget, port, host: host ?? undefined } as const;
    try {
      return await openSession({ request, clients, signal: this.signal });
    } catch (error) {
      throw await explainExecFailure(this.tasks, this.target, error, this.signal, 'connection');
    }
  }
}

export const notStarted = ({ container }: Target): MngrFargateError =>
  new MngrFargateError('unreachable', `container ${container} has not started`, { hint: 'try again shortly' });
