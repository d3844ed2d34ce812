import * as z from 'zod';
import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { booleanText, eventParams } from '../schemas/common';
import { eventStatus, signalRequest, terminalSize } from '../schemas/event';
import { upload } from '../upload';

const accepted = z.object({ seq: z.int(), status: eventStatus });

export function inputRoutes({ service, streams }: RouteContext): RouteSpec[] {
  return [
    route({
      method: 'POST',
      path: '/sandbox/{id}/events/{seq}/stdin',
      operation: 'writeStdin',
      tag: 'exec',
      summary:
        'Send the body, of any type and as it comes, to the stdin of a command; close=true ends the stdin after it',
      params: eventParams,
      query: z.strictObject({ close: booleanText.optional() }),
      rawBody: true,
      answers: { 200: { description: 'the command’s pipe has all of it', schema: accepted } },
      errors: ['session_not_found', 'event_not_found', 'event_ended', 'conflict'],
      handle: async ({ caller, params, query, request, signal }) => {
        const { id, seq } = params;
        await streams.during(caller, () => {
          const data = upload(request.raw, Infinity);
          return service.stdin(caller, id, seq, data, { close: query.close === true, signal });
        });
        return ok({ seq, status: (await service.event(caller, id, seq)).status });
      },
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/events/{seq}/signal',
      operation: 'sendSignal',
      tag: 'exec',
      summary: 'Send a signal to a command and all that it has started',
      params: eventParams,
      body: signalRequest,
      answers: { 200: { description: 'it is sent', schema: accepted } },
      errors: ['session_not_found', 'event_not_found', 'event_ended'],
      handle: async ({ caller, params, body }) => {
        const { id, seq } = params;
        await service.signal(caller, id, seq, body.signal);
        return ok({ seq, status: (await service.event(caller, id, seq)).status });
      },
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/events/{seq}/resize',
      operation: 'resizeTerminal',
      tag: 'exec',
      summary: 'Change the size of a command’s terminal',
      params: eventParams,
      body: terminalSize,
      answers: { 200: { description: 'it is changed', schema: accepted } },
      errors: ['session_not_found', 'event_not_found', 'event_ended', 'conflict'],
      handle: async ({ caller, params, body }) => {
        const { id, seq } = params;
        await service.resize(caller, id, seq, body);
        return ok({ seq, status: (await service.event(caller, id, seq)).status });
      },
    }),
  ];
}
