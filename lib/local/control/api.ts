import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { Service } from '../services/service';
import type { Admission } from '../wire/http/server';
import type { HttpRequest, RequestHead } from '../wire/http/request';
import type { WireResponse } from '../wire/wire-protocol';
import type { Control } from './control';
import { delaysSchema } from './delays';
import { UnknownTaskError } from './errors';
import { faultSchema } from './faults';
import { CONTROL_PATH } from './path';
import type { ControlRoute, ControlRoutes } from './routes';

const throttlingSchema = z.strictObject({
  enabled: z.boolean(),
  /** Multiplies every limit. */
  scale: z.number().positive().default(1),
});

const clockSchema = z.strictObject({ advanceMilliseconds: z.number().min(0) });

const MAX_BODY_BYTES = 4 * 1024 * 1024;

const UNAUTHORIZED = {
  message: 'send "Authorization: Bearer <control token>" as `mngr-fargate local up --json` prints it',
};

const json = (status: number, body: unknown): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body ?? {}),
});

const tokensEqual = (given: string, expected: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
};

/** What every endpoint can be told, independent of its services. */
const worldRoutes = (control: Control): ControlRoutes => ({
  'GET status': () => control.status(),
  'GET delays': () => control.delays.current,
  'PUT delays': (body) => control.delays.set(delaysSchema.parse(body)),
  'GET faults': () => control.faults.current,
  'PUT faults': (body) => control.faults.set(z.array(faultSchema).parse(body)),
  'PUT throttling': (body) => {
    const { enabled, scale } = throttlingSchema.parse(body);
    if (enabled) control.throttles.enable(scale);
    else control.throttles.disable();
  },
  'GET calls': () => ({ operations: control.callLog.summary(), calls: control.callLog.list() }),
  'DELETE calls': () => control.callLog.reset(),
  'POST clock': (body) => control.advanceClock(clockSchema.parse(body).advanceMilliseconds),
  'POST reset': () => control.reset(),
});

function routeOf(
  routes: ControlRoutes,
  method: string,
  path: string,
): { readonly route: ControlRoute; readonly argument: string } | undefined {
  for (const [pattern, route] of Object.entries(routes)) {
    const [wantedMethod, wantedPath = ''] = pattern.split(' ');
    const match = new RegExp(`^${wantedPath.replace('*', '([^/]+)')}$`).exec(path);
    if (wantedMethod === method && match !== null) return { route, argument: match[1] ?? '' };
  }
  return undefined;
}

/** The control API over HTTP: who may use it, and what it answers. */
export interface ControlApi {
  admit(head: RequestHead): Admission;
  serve(request: HttpRequest): Promise<WireResponse>;
}

/** `token` is the one that `local up` prints; requests without it are not read. */
export function controlApi(control: Control, services: readonly Service[], token: string): ControlApi {
  const routes: ControlRoutes = Object.assign({}, worldRoutes(control), ...services.map(({ controls }) => controls));
  return {
    admit: ({ headers }) => {
      const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
      return tokensEqual(given, token) ? { maxBodyBytes: MAX_BODY_BYTES } : { refusal: json(401, UNAUTHORIZED) };
    },
    serve: async (request) => {
      const found = routeOf(routes, request.method, request.path.slice(CONTROL_PATH.length));
      if (found === undefined) {
        const message = `no such control: ${request.method} ${request.path}`;
        return json(404, { message, controls: Object.keys(routes) });
      }
      try {
        const body: unknown = request.body.length === 0 ? undefined : JSON.parse(request.body.toString('utf8'));
        return json(200, await found.route(body, found.argument));
      } catch (error) {
        if (error instanceof z.ZodError) return json(400, { message: z.prettifyError(error) });
        if (error instanceof SyntaxError) return json(400, { message: 'the body is not JSON' });
        if (error instanceof UnknownTaskError) return json(404, { message: error.message });
        throw error;
      }
    },
  };
}
