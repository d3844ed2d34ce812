import type { Leave } from './app';
import { button, fill, h } from './dom';
import { followOutput } from './follow-output';
import { bytes, clock, span } from './format';
import type { EventEnd, SandboxEvent } from './model';
import type { TabOptions } from './sandbox';

/** Characters of one command's output that the page shows: more would make it slow. All of it is in the API. */
const SHOWN_CHARACTERS = 200_000;
const LOOK_AGAIN_MS = 2000;

/** The history of commands, the running ones live, and a line for the next. */
export function commandsTab(place: HTMLElement, { api, id, onProblem }: TabOptions): Leave {
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
  let timer: ReturnType<typeof setTimeout> | undefined;

  const add = (event: SandboxEvent): void => {
    if (event.seq <= lastSeq) return;
    lastSeq = event.seq;
    hint.remove();
    const entry = commandEntry(event, (signal) => void api.signal(id, event.seq, signal).catch(onProblem));
    keepingEndInView(() => log.append(entry.element));
    if (event.result !== null) {
      entry.write('stdout', event.result.stdout);
      entry.write('stderr', event.result.stderr);
      entry.end(event.result);
    } else void follow(event.seq, entry);
  };

  const follow = async (seq: number, entry: CommandEntry): Promise<void> => {
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    try {
      for await (const part of followOutput(api, id, seq, leaving.signal)) {
        if (part.type === 'end') entry.end(part.end);
        else if (part.type === 'gap') entry.write('gap', `\n… ${bytes(part.length)} dropped …\n`);
        else entry.write(part.type, decoders[part.type].decode(part.bytes, { stream: true }));
      }
    } catch (error) {
      if (!leaving.signal.aborted) onProblem(error);
    }
  };

  /** Commands of others come too. */
  const look = async (): Promise<void> => {
    try {
      for (let more = true; more && !leaving.signal.aborted;) {
        const page = await api.history(id, lastSeq);
        if (leaving.signal.aborted) return;
        page.events.forEach(add);
        more = page.has_more;
      }
    } catch (error) {
      if (!leaving.signal.aborted) onProblem(error);
    }
    if (!leaving.signal.aborted) timer = setTimeout(() => void look(), LOOK_AGAIN_MS);
  };

  const run = async (): Promise<void> => {
    const cmd = input.value;
    if (cmd.trim() === '') return;
    input.value = '';
    try {
      await api.exec(id, cmd);
      clearTimeout(timer);
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
  void look();
  return () => {
    leaving.abort();
    clearTimeout(timer);
  };
}

/** Changes the page, and follows its end for whoever is there. */
function keepingEndInView(change: () => void): void {
  const page = document.scrollingElement as Element;
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 160;
  change();
  if (atEnd) page.scrollTop = page.scrollHeight;
}

interface CommandEntry {
  readonly element: HTMLElement;
  write(kind: 'stdout' | 'stderr' | 'gap', text: string): void;
  end(end: EventEnd): void;
}

function commandEntry(event: SandboxEvent, signal: (name: string) => void): CommandEntry {
  const output = h('pre', {
    class: 'output',
    tabindex: 0,
    'aria-label': `Output of command ${event.seq}`,
    hidden: true,
  });
  const state = h('span', { class: 'state running' }, event.status);
  const stop = button('Stop', () => signal('TERM'), 'plain');
  const element = h(
    'li',
    { class: 'command' },
    h(
      'div',
      { class: 'command-head' },
      h('code', {}, `$ ${commandLine(event)}`),
      state,
      event.result === null && stop,
      h('time', { class: 'quiet', datetime: new Date(event.submitted_at).toISOString() }, clock(event.submitted_at)),
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
      state.textContent = `${text}, ${span(end.duration_ms)}`;
      if (end.detail !== undefined) {
        output.hidden = false;
        output.append(h('span', { class: 'stderr' }, end.detail));
      }
    },
  };
}

/** What ran: a command line, a program with its arguments, or a call of git. */
function commandLine({ kind, payload }: SandboxEvent): string {
  const { cmd, argv } = payload as { cmd?: string; argv?: readonly string[] };
  if (cmd !== undefined) return cmd;
  if (argv !== undefined) return argv.join(' ');
  return kind.replace('_', ' ');
}

function endOf(end: EventEnd): { readonly className: string; readonly text: string } {
  if (end.timed_out) return { className: 'failed', text: 'timed out' };
  if (end.reason === 'lost' || end.reason === 'refused') return { className: 'failed', text: end.reason };
  if (end.signal !== null) return { className: 'failed', text: `killed by ${end.signal}` };
  return {
    className: end.exit_code === 0 ? 'done' : 'failed',
    text: end.exit_code === 0 ? 'done' : `exit ${String(end.exit_code)}`,
  };
}
