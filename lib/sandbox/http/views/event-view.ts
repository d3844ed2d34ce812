import { isUtf8 } from 'node:buffer';
import type { EventResult, SandboxEvent } from '../../model/types';

/** A stream's bytes as text, with the bytes themselves beside it where they aren't UTF-8. */
function output<N extends 'stdout' | 'stderr'>(name: N, bytes: Buffer) {
  const text = { [name]: bytes.toString('utf8') } as Record<N, string>;
  return isUtf8(bytes) ? text : { ...text, [`${name}_b64`]: bytes.toString('base64') };
}

/** How a command ended, without its output. */
export const endView = (result: EventResult) => ({
  exit_code: result.exitCode,
  signal: result.signal,
  timed_out: result.reason === 'timeout',
  reason: result.reason,
  ...(result.detail === undefined ? {} : { detail: result.detail }),
  duration_ms: result.durationMs,
  stdout_bytes: result.stdoutBytes,
  stderr_bytes: result.stderrBytes,
  dropped_bytes: result.droppedBytes,
});

export const resultView = (result: EventResult) => ({
  ...output('stdout', result.stdout),
  ...output('stderr', result.stderr),
  ...endView(result),
});

/** An event as JSON. */
export const eventView = (event: SandboxEvent) => ({
  id: event.id,
  session_id: event.sessionId,
  seq: event.seq,
  kind: event.kind,
  status: event.status,
  payload: event.payload,
  result: event.result === null ? null : resultView(event.result),
  submitted_at: event.submittedAt,
  started_at: event.startedAt,
  completed_at: event.completedAt,
});
