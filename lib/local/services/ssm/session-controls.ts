import type { ControlRoutes } from '../../control/routes';
import type { World } from '../../world';
import { sessionFaults, sessionFaultsSchema } from './session-faults';
import { sessions } from './sessions';

/** What tests may do to the data channels of sessions. */
export function sessionControlRoutes(world: World): ControlRoutes {
  const faults = world.part(sessionFaults);
  return {
    'GET sessions': () => faults.current,
    'PUT sessions': (body) => faults.set(sessionFaultsSchema.parse(body)),
    'POST sessions/cut': () => ({ cut: world.part(sessions).cut() }),
  };
}
