import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import { SandboxError } from '../../model/errors';
import type { SubmitEvent } from '../../model/types';
import { AbandonedTerminals } from '../pty/abandoned';
import { joinTerminal } from '../pty/terminal-socket';
import { audit } from '../register';
import { route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { filePath, integerText, lineOf, sessionParams } from '../schemas/common';
import { checkOrigin, isUpgrade, takeUpgrade } from '../upgrade';
import type { Upgrade } from '../upgrade';
import { inWorkspace } from './paths';

const DEFAULT_SIZE = { cols: 80, rows: 24 };
/** A terminal ends with its session at the latest; this is for one that lives very long. */
const TIMEOUT_SECONDS = 7 * 24 * 3600;
/** What a person pastes at once, and more. */
const MAX_FRAME_BYTES = 1024 * 1024;

const SHELL = 'command -v bash >/dev/null && exec bash -l; exec sh -l';
const SHELL_WITH_COMMAND = 'command -v bash >/dev/null && exec bash -lc "$1"; exec sh -lc "$1"';

const ptyQuery = z
  .strictObject({
    cols: integerText({ min: 1, max: 1000 }).optional(),
    rows: integerText({ min: 1, max: 1000 }).optional(),
    command: z
      .string()
      .min(1)
      .max(32 * 1024)
      // eslint-disable-next-line no-control-regex
      .regex(/^[^\u0000]*$/, { error: 'has a NUL: leave it out' })
      .optional()
      .meta({ description: 'a command line; default: a login shell' }),
    cwd: filePath.optional().meta({ description: 'default: /workspace' }),
    user: lineOf(64).optional(),
    seq: integerText({ min: 1 }).optional().meta({ description: 'continues the terminal of this event' }),
    offset: integerText({ min: 0 }).optional().meta({ description: 'with seq: its first byte; default: 0' }),
  })
  .refine(({ seq, command, cwd, user }) => seq === undefined || (command ?? cwd ?? user) === undefined, {
    error: 'seq continues a terminal that already has its command: leave out command, cwd and user',
    path: ['seq'],
  });

type PtyQuery = z.infer<typeof ptyQuery>;

function terminalCommand(query: PtyQuery): SubmitEvent {
  const { command, user } = query;
  const cwd = query.cwd === undefined ? undefined : inWorkspace(query.cwd);
  const terminal = { cols: query.cols ?? DEFAULT_SIZE.cols, rows: query.rows ?? DEFAULT_SIZE.rows };
  return {
    kind: 'exec_submit',
    payload: {
      cmd: command ?? 'login shell',
      terminal,
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { user }),
    },
    argv: command === undefined ? ['sh', '-c', SHELL] : ['sh', '-c', SHELL_WITH_COMMAND, 'sh', command],
    cwd,
    user,
    terminal,
    stdin: 'open',
    env: { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    timeoutSeconds: TIMEOUT_SECONDS,
  };
}

export function ptyRoutes(context: RouteContext): RouteSpec[] {
  const { service, streams, allowedOrigins } = context;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES, perMessageDeflate: false });
  const abandoned = new AbandonedTerminals();
  const pty: RouteSpec = route({
    method: 'GET',
    path: '/sandbox/{id}/pty',
    operation: 'openTerminal',
    tag: 'exec',
    summary:
      'A terminal as a WebSocket: binary frames are bytes, text frames are JSON; {"type":"resize","cols","rows"} changes its size',
    params: sessionParams,
    query: ptyQuery,
    access: 'ticket',
    answers: { 101: { description: 'the terminal' } },
    errors: ['forbidden', 'session_not_found', 'event_not_found', 'event_ended', 'upgrade_required', 'rate_limited'],
    handle: async ({ caller, params, query, request, reply, signal }) => {
      if (!isUpgrade(request)) throw new SandboxError('upgrade_required', 'this route is a WebSocket');
      checkOrigin(request, allowedOrigins);
      await streams.during(caller, async () => {
        const { id } = params;
        const event =
          query.seq === undefined
            ? await service.submit(caller, id, terminalCommand(query))
            : await service.event(caller, id, query.seq, { signal });
        if (event.payload.terminal === undefined) {
          throw new SandboxError('conflict', `event ${event.seq} has no terminal`, { field: 'seq' });
        }
        const { seq } = event;
        const socket = await accepted(sockets, takeUpgrade(request, reply));
        audit(context, pty, request, 101);
        const leave = abandoned.look(JSON.stringify([caller.tenant, id, event.id]));
        const ended = await joinTerminal(service, socket, { caller, id, seq, from: query.offset ?? 0 });
        leave(ended ? undefined : () => service.signal(caller, id, seq, 'HUP'));
      });
      return undefined;
    },
  });
  return [pty];
}

function accepted(sockets: WebSocketServer, { request, socket, head }: Upgrade): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the client closed the connection')));
    sockets.handleUpgrade(request, socket, head, resolve);
  });
}
