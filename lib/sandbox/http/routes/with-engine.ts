import type { EngineClient } from '../../engine/engine-client';
import type { RouteCall, RouteContext } from '../route';

type SandboxCall = Pick<RouteCall<{ readonly id: string }, unknown, unknown>, 'caller' | 'params' | 'signal'>;

/** Runs work with the engine of the sandbox that a call is about, until its client is gone. */
export const withEngine = <T>(
  { service }: Pick<RouteContext, 'service'>,
  { caller, params, signal }: SandboxCall,
  work: (engine: EngineClient) => Promise<T>,
): Promise<T> => service.use(caller, params.id, work, { signal });

/** The same for what stays open: it takes one of the caller's places. Throws `rate_limited`. */
export const streamingWithEngine = <T>(
  context: Pick<RouteContext, 'service' | 'streams'>,
  call: SandboxCall,
  work: (engine: EngineClient) => Promise<T>,
): Promise<T> => context.streams.during(call.caller, () => withEngine(context, call, work));
