import * as z from 'zod';
import { SandboxError } from '../../model/errors';
import type { FastifyRequest } from 'fastify';
import { asJsonLine, asServerSentEvent, streamMessages } from '../output-stream';
import { route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { eventParams, integerText } from '../schemas/common';
import { sendTexts } from '../send-stream';

const JSON_LINES = 'application/x-ndjson';

export function streamRoutes({ service, streams }: RouteContext): RouteSpec[] {
  return [
    route({
      method: 'GET',
      path: '/sandbox/{id}/events/{seq}/stream',
      operation: 'streamEvent',
      tag: 'exec',
      summary:
        'The output of a command as it is written, as server-sent events stdout, stderr, gap and one exit or error; ' +
        'Last-Event-ID goes on from there. Also for a while after its end',
      params: eventParams,
      query: z.strictObject({
        from: integerText({ min: 0 }).optional().meta({ description: 'offset of the first byte; default: 0' }),
      }),
      access: 'ticket',
      answers: { 200: { description: 'server-sent events, or lines of JSON', contentType: 'text/event-stream' } },
      errors: ['session_not_found', 'event_not_found', 'rate_limited'],
      handle: async ({ caller, params, query, request, reply, signal }) => {
        const from = lastEventId(request) ?? query.from ?? 0;
        await streams.during(caller, async () => {
          // Finds out what there is to refuse while it still can be an answer of its own.
          await service.event(caller, params.id, params.seq, { signal });
          const jsonLines = request.headers.accept?.includes(JSON_LINES) === true;
          const write = jsonLines ? asJsonLine : asServerSentEvent;
          const output = service.output(caller, params.id, params.seq, { from, signal });
          const type = jsonLines ? JSON_LINES : 'text/event-stream; charset=utf-8';
          await sendTexts(reply, type, texts(streamMessages(output), write), signal);
        });
        return undefined;
      },
    }),
  ];
}

async function* texts<T>(messages: AsyncIterable<T>, write: (message: T) => string): AsyncGenerator<string> {
  for await (const message of messages) yield write(message);
}

/** The offset that an interrupted reader had got to. */
function lastEventId(request: FastifyRequest): number | undefined {
  const given = request.headers['last-event-id'];
  if (given === undefined || given === '') return undefined;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw new SandboxError('bad_request', 'Last-Event-ID must be an offset: the id of an event of this stream', {
    field: 'Last-Event-ID',
  });
}
