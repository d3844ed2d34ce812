import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since the machine's start. With the number it names one process for good. */
  readonly startTime: number;
  readonly state: string;
}

/** undefined if there is no such process. */
export function processFacts(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name is in parentheses and may contain anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index]);
  return {
    pid,
    state: fields[0] ?? '?',
    parent: number(1),
    group: number(2),
    session: number(3),
    startTime: number(19),
  };
}

export const isRunning = (facts: ProcessFacts | undefined): boolean =>
  facts !== undefined && facts.state !== 'Z' && facts.state !== 'X';

/** Whether the very process that was started then still runs. */
export const isSame = (pid: number, startTime: number): boolean => {
  const facts = processFacts(pid);
  return isRunning(facts) && facts?.startTime === startTime;
};

export function allProcesses(): ProcessFacts[] {
  const found: ProcessFacts[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const facts = processFacts(Number(name));
    if (facts !== undefined && isRunning(facts)) found.push(facts);
  }
  return found;
}

/** Whether a process was started with this variable. False for one that may not be looked at, or is gone. */
function hasMark(pid: number, mark: string): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return text.startsWith(`${mark}\0`) || text.includes(`\0${mark}\0`);
  } catch {
    return false;
  }
}

export interface Wanted {
  /** `NAME=VALUE` in the environment: found in whatever session and under whatever parent it now is. */
  readonly marks: readonly string[];
  /** Descendants of this process, without itself, that started at or after the time in ticks. */
  readonly under?: { readonly pid: number; readonly since: number };
  readonly group?: number;
  readonly session?: number;
  /** Not this process itself. */
  readonly but?: number;
}

/** Processes of a command or a shell, and everything below them. */
export function findProcesses(wanted: Wanted): ProcessFacts[] {
  const all = allProcesses();
  const children = new Map<number, ProcessFacts[]>();
  for (const facts of all) {
    const siblings = children.get(facts.parent);
    if (siblings === undefined) children.set(facts.parent, [facts]);
    else siblings.push(facts);
  }
  const found = new Map<number, ProcessFacts>();
  const add = (facts: ProcessFacts): void => {
    if (found.has(facts.pid) || facts.pid === process.pid) return;
    found.set(facts.pid, facts);
    for (const child of children.get(facts.pid) ?? []) add(child);
  };
  const { under, group, session, marks, but = under?.pid } = wanted;
  if (under !== undefined) {
    for (const child of children.get(under.pid) ?? []) if (child.startTime >= under.since) add(child);
  }
  for (const facts of all) {
    const marked = facts.group === group || facts.session === session || marks.some((mark) => hasMark(facts.pid, mark));
    if (marked && facts.pid !== but) add(facts);
  }
  return [...found.values()];
}

/** The present time in ticks since the machine's start, as /proc counts it. */
export function nowInTicks(): number {
  const [seconds = '0'] = readFileSync('/proc/uptime', 'latin1').split(' ');
  return Math.floor(Number(seconds) * 100);
}

/** Signals that a process catches, by number. */
export function catches(pid: number, signal: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** A process that has gone is not an error. */
export function send(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** KILL to all of them, and to what they start meanwhile, until none is left or the tries are used up. */
export function killAll(find: () => readonly ProcessFacts[], tries = 20): void {
  for (let count = 0; count < tries; count++) {
    const found = find();
    if (found.length === 0) return;
    // Stopped first, so that none of them can start another in between.
    for (const { pid } of found) send(pid, 'SIGSTOP');
    for (const { pid } of found) send(pid, 'SIGKILL');
  }
}
