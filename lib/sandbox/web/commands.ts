import { CommandError } from '../client';
import type { ApiEvent, CommandExit } from '../client';
import type { Leave } from './app';
import { button, fill, h } from './dom';
import { bytes, clock, span } from './format';
import { repeat } from './repeat';
import type { TabOptions } from './sandbox';

/** Characters of one command's output that the page shows: more would make it slow. All of it is in the API. */
const SHOWN_CHARACTERS = 200_000;
const LOOK_AGAIN_MS = 2000;
/** A day: whoever watches a command can stop it. */
const TIMEOUT_SECONDS = 24 * 3600;

/** What is known of the end of a command that was lost, or never began. */
const NO_END = { exitCode: null, signal: null, timedOut: false, durationMs: undefined } as const;

/** The history of commands, the running ones live, and a line for the next. */
export function commandsTab(place: HTMLElement, { box, onProblem }: TabOptions): Leave {
  const leaving = new AbortController();
  const log = h('ol', { class: 'commands', 'aria-label': 'Commands' });
  const hint = h('p', { class: 'quiet empty-line' }, 'No commands yet.');
  const input = h('input', {
    name: 'cmd',
    'aria-label': 'Command',
    placeholder: 'Command, for example: ls -la',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
  });
  let lastSeq = 0;

  const add = (event: ApiEvent): void => {
    if (event.seq <= lastSeq) return;
    lastSeq = event.seq;
    hint.remove();
    const entry = commandEntry(event, () => void box.command(event.seq).kill().catch(onProblem));
    keepingEndInView(() => log.append(entry.element));
    if (event.result !== null) {
      entry.write('stdout', event.result.stdout);
      entry.write('stderr', event.result.stderr);
      entry.end(event.result);
    } else void follow(event.seq, entry);
  };

  const follow = async (seq: number, entry: CommandEntry): Promise<void> => {
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const output = box.command(seq, { signal: leaving.signal }).read();
    try {
      for (;;) {
        const { done, value } = await output.next();
        if (done === true) return entry.end(value);
        if (value.stream === 'gap') entry.write('gap', `\n… ${bytes(value.dropped)} dropped …\n`);
        else entry.write(value.stream, decoders[value.stream].decode(value.bytes, { stream: true }));
      }
    } catch (error) {
      if (leaving.signal.aborted) return;
      if (error instanceof CommandError) entry.end({ ...NO_END, reason: error.reason, detail: error.message });
      else onProblem(error);
    }
  };

  const look = async (): Promise<void> => {
    const { signal } = leaving;
    for await (const event of box.events({ afterSeq: lastSeq, signal })) if (!signal.aborted) add(event);
  };

  const run = async (): Promise<void> => {
    const cmd = input.value;
    if (cmd.trim() === '') return;
    input.value = '';
    try {
      await box.exec(cmd, { timeoutSeconds: TIMEOUT_SECONDS }).submitted;
      await look();
    } catch (error) {
      input.value = cmd;
      onProblem(error);
    }
  };

  const form = h(
    'form',
    {
      class: 'prompt',
      onsubmit: (event) => {
        event.preventDefault();
        void run();
      },
    },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, '$'),
    input,
    h('button', { type: 'submit', class: 'primary' }, 'Run'),
  );
  fill(place, h('div', { class: 'scroll' }, hint, log), form);
  input.focus();
  // Commands of others come too.
  const leaveLoop = repeat(LOOK_AGAIN_MS, look, onProblem);
  return () => {
    leaving.abort();
    leaveLoop();
  };
}

/** Changes the page, and follows its end for whoever is there. */
function keepingEndInView(change: () => void): void {
  const page = document.scrollingElement as Element;
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 160;
  change();
  if (atEnd) page.scrollTop = page.scrollHeight;
}

type CommandEnd = Pick<CommandExit, 'exitCode' | 'signal' | 'timedOut' | 'reason' | 'detail'> & {
  readonly durationMs: number | undefined;
};

interface CommandEntry {
  readonly element: HTMLElement;
  write(kind: 'stdout' | 'stderr' | 'gap', text: string): void;
  end(end: CommandEnd): void;
}

function commandEntry(event: ApiEvent, onStop: () => void): CommandEntry {
  const output = h('pre', {
    class: 'output',
    tabindex: 0,
    'aria-label': `Output of command ${event.seq}`,
    hidden: true,
  });
  const state = h('span', { class: 'state running' }, event.status);
  const stop = button('Stop', onStop, 'plain');
  const element = h(
    'li',
    { class: 'command' },
    h(
      'div',
      { class: 'command-head' },
      h('code', {}, `$ ${commandLine(event)}`),
      state,
      event.result === null && stop,
      h('time', { class: 'quiet', datetime: new Date(event.submittedAt).toISOString() }, clock(event.submittedAt)),
    ),
    output,
  );
  let shown = 0;
  return {
    element,
    write: (kind, text) => {
      if (text === '') return;
      output.hidden = false;
      const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
      keepingEndInView(() => output.append(h('span', { class: kind }, text)));
      shown += text.length;
      while (shown > SHOWN_CHARACTERS && output.childNodes.length > 1) {
        shown -= output.firstChild?.textContent?.length ?? 0;
        output.firstChild?.remove();
      }
      if (atEnd) output.scrollTop = output.scrollHeight;
    },
    end: (end) => {
      stop.remove();
      const { className, text } = endOf(end);
      state.className = `state ${className}`;
      state.textContent = end.durationMs === undefined ? text : `${text}, ${span(end.durationMs)}`;
      if (end.detail !== undefined) {
        output.hidden = false;
        output.append(h('span', { class: 'stderr' }, end.detail));
      }
    },
  };
}

/** What ran: a command line, a program with its arguments, or a call of git. */
function commandLine({ kind, payload }: ApiEvent): string {
  const { cmd, argv } = payload as { cmd?: string; argv?: readonly string[] };
  if (cmd !== undefined) return cmd;
  if (argv !== undefined) return argv.join(' ');
  return kind.replace('_', ' ');
}

function endOf(end: CommandEnd): { readonly className: string; readonly text: string } {
  if (end.timedOut) return { className: 'failed', text: 'timed out' };
  if (end.reason === 'lost' || end.reason === 'refused') return { className: 'failed', text: end.reason };
  if (end.signal !== null) return { className: 'failed', text: `killed by ${end.signal}` };
  return {
    className: end.exitCode === 0 ? 'done' : 'failed',
    text: end.exitCode === 0 ? 'done' : `exit ${String(end.exitCode)}`,
  };
}
