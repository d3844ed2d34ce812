import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { HttpRequest } from '../wire/http/request';
import type { WireResponse } from '../wire/wire-protocol';
import { delaysSchema } from './delays';
import { faultSchema } from './faults';
import { UnknownTaskError } from './control';
import type { Control } from './control';
import { CONTROL_PATH } from './path';
import { seedSchema } from './seed';

const throttlingSchema = z.strictObject({
  enabled: z.boolean(),
  /** Multiplies every limit. */
  scale: z.number().positive().default(1),
});

const consistencySchema = z.strictObject({
  /** Milliseconds that a new task stays unseen. */
  listTasks: z.number().min(0).default(0),
  describeTasks: z.number().min(0).default(0),
});

const clockSchema = z.strictObject({ advanceMilliseconds: z.number().min(0) });

const json = (status: number, body: unknown): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body ?? {}),
});

const tokensEqual = (given: string, expected: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
};

type Route = (control: Control, body: unknown, argument: string) => unknown;

/** `METHOD path` → what it does; `*` stands for one path segment. */
const ROUTES: Readonly<Record<string, Route>> = {
  'GET status': (control) => control.status(),
  'GET delays': (control) => control.delays.current,
  'PUT delays': (control, body) => control.delays.set(delaysSchema.parse(body)),
  'GET faults': (control) => control.faults.current,
  'PUT faults': (control, body) => control.faults.set(z.array(faultSchema).parse(body)),
  'PUT throttling': (control, body) => {
    const { enabled, scale } = throttlingSchema.parse(body);
    if (enabled) control.throttles.enable(scale);
    else control.throttles.disable();
  },
  'PUT consistency': (control, body) => Object.assign(control.tasks.consistency, consistencySchema.parse(body)),
  'POST clock': (control, body) => control.advanceClock(clockSchema.parse(body).advanceMilliseconds),
  'GET calls': (control) => ({ operations: control.callLog.summary(), calls: control.callLog.list() }),
  'DELETE calls': (control) => control.callLog.reset(),
  'POST tasks/seed': (control, body) => control.seed(seedSchema.parse(body)),
  'DELETE tasks/seed': (control) => control.removeSeeded(),
  'POST tasks/*/kill': (control, _, id) => control.kill(id),
  'POST tasks/*/interrupt': (control, _, id) => control.interruptSpot(id),
  'POST reset': (control) => control.reset(),
};

function routeOf(method: string, path: string): { readonly route: Route; readonly argument: string } | undefined {
  for (const [pattern, route] of Object.entries(ROUTES)) {
    const [wantedMethod, wantedPath = ''] = pattern.split(' ');
    const match = new RegExp(`^${wantedPath.replace('*', '([^/]+)')}$`).exec(path);
    if (wantedMethod === method && match !== null) return { route, argument: match[1] ?? '' };
  }
  return undefined;
}

/** Answers a request to the control API; `token` is the one that `local up` prints. */
export async function controlApi(request: HttpRequest, control: Control, token: string): Promise<WireResponse> {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!tokensEqual(given, token)) {
    return json(401, {
      message: 'send "Authorization: Bearer <control token>" as `mngr-fargate local up --json` prints it',
    });
  }
  const found = routeOf(request.method, request.path.slice(CONTROL_PATH.length));
  if (found === undefined) {
    return json(404, { message: `no such control: ${request.method} ${request.path}`, controls: Object.keys(ROUTES) });
  }
  try {
    const body: unknown = request.body.length === 0 ? undefined : JSON.parse(request.body.toString('utf8'));
    return json(200, await found.route(control, body, found.argument));
  } catch (error) {
    if (error instanceof z.ZodError) return json(400, { message: z.prettifyError(error) });
    if (error instanceof SyntaxError) return json(400, { message: 'the body is not JSON' });
    if (error instanceof UnknownTaskError) return json(404, { message: error.message });
    throw error;
  }
}
