import * as z from 'zod';
import { SIGNALS, STDIN_OFFER_SECONDS } from '../../../contract/sandboxd';
import { filePath, lineOf, time } from './common';
import { component } from './documented';

/** The seed's default for a command that names none. */
export const DEFAULT_TIMEOUT_SECONDS = 300;
/** A command that runs longer is a session of its own: the hard limit of a session is near. */
const MAX_TIMEOUT_SECONDS = 7 * 24 * 3600;

// eslint-disable-next-line no-control-regex
const NO_NUL = /^[^\u0000]*$/;
const noNul = { error: 'has a NUL, which no argument can have: leave it out' };

/** The longest argument that Linux takes (MAX_ARG_STRLEN), less the end mark. */
const argument = z.string().max(131_071).regex(NO_NUL, noNul);

const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not a name of a variable: use letters, digits and _' }),
  argument,
);

export const timeoutSeconds = z.int().min(1).max(MAX_TIMEOUT_SECONDS);

export const terminalSize = z.strictObject({
  cols: z.int().min(1).max(1000),
  rows: z.int().min(1).max(1000),
});

export const shellName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
  error: 'must be 1 to 64 letters, digits, dots, dashes or underscores, and start with a letter or digit',
});

export const execRequest = component(
  'ExecRequest',
  z
    .strictObject({
      cmd: z
        .string()
        .min(1)
        .max(512 * 1024)
        .regex(NO_NUL, noNul)
        .optional()
        .meta({ description: 'a command line for a shell session, whose folder, variables and functions stay' }),
      argv: z
        .array(argument)
        .min(1)
        .max(4096)
        .optional()
        .meta({ description: 'or a program with its arguments, started without a shell' }),
      shell: shellName.optional().meta({ description: 'the shell session of cmd; default: main' }),
      cwd: filePath.nullish().meta({ description: 'for this command alone; default: the shell’s current folder' }),
      timeout_seconds: timeoutSeconds.optional().meta({ description: `default: ${DEFAULT_TIMEOUT_SECONDS}` }),
      env: environment.nullish().meta({ description: 'for this command alone; never stored or shown' }),
      sync: z.boolean().optional().meta({ description: 'true answers when it has ended, or after 30 s with 408' }),
      stdin: z
        .enum(['none', 'open'])
        .optional()
        .meta({
          description:
            'none: at its end at once; open: what POST …/stdin sends; default: none with sync, else open, and at its end ' +
            `when nothing was sent within ${STDIN_OFFER_SECONDS} s of the start`,
        }),
      user: lineOf(64).optional().meta({ description: 'name or uid, for argv; default: the sandbox’s user' }),
      terminal: terminalSize.optional().meta({ description: 'a terminal instead of pipes, for argv' }),
    })
    .refine((body) => body.cmd !== undefined || body.argv !== undefined, {
      error: 'is missing: give cmd or argv',
      path: ['cmd'],
    })
    .refine((body) => body.cmd === undefined || body.argv === undefined, {
      error: 'cannot be given together with argv: give one of them',
      path: ['cmd'],
    })
    .refine((body) => body.argv !== undefined || (body.user === undefined && body.terminal === undefined), {
      error: 'is missing: user and terminal go with argv alone',
      path: ['argv'],
    })
    .refine((body) => body.argv === undefined || body.shell === undefined, {
      error: 'goes with cmd alone: leave it out, or give cmd instead of argv',
      path: ['shell'],
    }),
);

/** As kill(1) takes it, with SIG before it or without. */
export const signalRequest = z.strictObject({
  signal: z.preprocess(
    (name) => (typeof name === 'string' ? name.replace(/^SIG/, '') : name),
    z.enum(SIGNALS).meta({ description: 'a name, with SIG before it or without' }),
  ),
});

export const eventStatus = z.enum(['pending', 'running', 'done', 'error']);

export const eventResult = component(
  'EventResult',
  z.object({
    stdout: z.string().meta({ description: 'as text; bytes that are not UTF-8 are replaced' }),
    stderr: z.string(),
    stdout_b64: z.string().optional().meta({ description: 'only where the bytes are not UTF-8: all of them' }),
    stderr_b64: z.string().optional(),
    exit_code: z.int().nullable(),
    signal: z.string().nullable().meta({ description: 'without SIG' }),
    timed_out: z.boolean(),
    reason: z.enum(['exit', 'signal', 'timeout', 'lost', 'refused']),
    detail: z.string().optional().meta({ description: 'why it was lost or refused' }),
    duration_ms: z.number(),
    stdout_bytes: z.int().meta({ description: 'all that was written, dropped bytes included' }),
    stderr_bytes: z.int(),
    dropped_bytes: z.int().meta({ description: 'dropped from the middle of the output' }),
  }),
);

export const event = component(
  'Event',
  z.object({
    id: z.int(),
    session_id: z.string(),
    seq: z.int(),
    kind: z.string(),
    status: eventStatus,
    payload: z.record(z.string(), z.unknown()).meta({ description: 'what was asked, without env and secrets' }),
    result: eventResult.nullable(),
    submitted_at: time,
    started_at: time.nullable(),
    completed_at: time.nullable(),
  }),
);

export const history = component('History', z.object({ events: z.array(event), has_more: z.boolean() }));
