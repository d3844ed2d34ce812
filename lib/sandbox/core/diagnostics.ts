import type { Host } from '../../hosts';
import type { Diagnostics } from '../model/types';
import type { StoredSession } from '../store';
import { stopFactsOf } from './lifecycle';
import type { SessionHosts } from './session-hosts';
import { sessionView } from './views';

const LOG_LINES = 50;
/** How long ECS and the logs may take to answer, in milliseconds; what the store knows is always shown. */
const ASK_MS = 5_000;

/** What is known about a session and its host, for whoever wants to know why it is as it is. */
export async function diagnosticsOf(hosts: SessionHosts, session: StoredSession): Promise<Diagnostics> {
  const signal = AbortSignal.timeout(ASK_MS);
  const host = await hosts.find(session, signal).catch(() => undefined);
  const taskArn = host?.taskArn ?? session.taskArn;
  const stop = host !== undefined && host.state === 'STOPPED' ? stopFactsOf(host) : session.stop;
  return {
    session: sessionView(session),
    taskArn,
    taskState: host?.state ?? (session.hostGone ? 'STOPPED' : null),
    stopCode: stop?.stopCode ?? null,
    stoppedReason: stop?.stoppedReason ?? null,
    containerReason: stop?.containerReason ?? null,
    exitCode: stop?.exitCode ?? null,
    endReason: session.endReason,
    problem: session.problem,
    stages: session.stages,
    logLines: taskArn === null ? [] : await lastLines(hosts, taskArn, signal),
    cost: costOf(host, session),
  };
}

async function lastLines(hosts: SessionHosts, taskArn: string, signal: AbortSignal): Promise<Diagnostics['logLines']> {
  const lines: { timestamp: string; message: string }[] = [];
  try {
    for await (const { timestamp, message } of hosts.logs(taskArn, LOG_LINES, signal))
      lines.push({ timestamp, message });
  } catch {
    // No log group, no permission, or nothing written: there is nothing to show.
  }
  return lines;
}

const costOf = (host: Host | undefined, session: StoredSession): Diagnostics['cost'] => ({
  usd: host?.costUsd ?? session.costUsd ?? 0,
  usdPerHour: host === undefined || host.state === 'STOPPED' ? 0 : host.costUsdPerHour,
  billedFrom: host?.billedFrom == null ? null : Date.parse(host.billedFrom),
});
