import * as z from 'zod';
import { component } from './documented';

/** The body of every error. */
export const errorBody = component(
  'Error',
  z.object({
    error: z.string().meta({ description: 'a code, which programs may rely on' }),
    detail: z.string().meta({ description: 'what is wrong, for people' }),
    suggestion: z.string().optional().meta({ description: 'what to do next' }),
    field: z.string().optional().meta({ description: 'the field of the request that is wrong' }),
    request_id: z.string().optional().meta({ description: 'the header X-Request-Id of this answer' }),
    seq: z.int().optional().meta({ description: 'of sync_timeout: the event that goes on' }),
    status: z.string().optional().meta({ description: 'of sync_timeout: the status of that event' }),
  }),
);
