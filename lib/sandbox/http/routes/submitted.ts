import type { SandboxEvent } from '../../model/types';
import { BASE_PATHS } from '../route';
import type { Answer, RouteContext } from '../route';
import { eventView } from '../views/event-view';

/** The answer to a command that was taken on. */
export function submitted({ shape }: RouteContext, event: SandboxEvent): Answer {
  const location = `${BASE_PATHS[shape]}/sandbox/${encodeURIComponent(event.sessionId)}/events/${event.seq}`;
  return { status: 202, body: eventView(event), headers: { location } };
}
