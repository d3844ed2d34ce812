import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { Sandbox, Terminal as RemoteTerminal } from '../client';
import type { Leave } from './app';
import { button, fill, h } from './dom';
import { textOf } from './messages';
import type { TabOptions } from './sandbox';

const COLORS = {
  light: {
    background: '#fbfbfd',
    foreground: '#1c2030',
    cursor: '#2563eb',
    selectionBackground: '#bfd4fd',
    black: '#1c2030',
    red: '#b4232a',
    green: '#1a7f37',
    yellow: '#8a5a00',
    blue: '#1d4ed8',
    magenta: '#8a2fb8',
    cyan: '#0a6c80',
    white: '#6b7280',
    brightBlack: '#5b6275',
    brightRed: '#c62828',
    brightGreen: '#1a7f37',
    brightYellow: '#8a5a00',
    brightBlue: '#2563eb',
    brightMagenta: '#9d3fcc',
    brightCyan: '#0a6c80',
    brightWhite: '#1c2030',
  },
  dark: { background: '#0d1017', foreground: '#dfe3ee', cursor: '#6ea0ff', selectionBackground: '#31466e' },
};

/** The terminal of this tab, so that leaving the page and coming back shows the same shell. */
const seqKey = (id: string): string => `terminal:${id}`;

/** A login shell in the sandbox. A lost connection comes back to the same shell and shows what it missed, once. */
export function terminalTab(place: HTMLElement, { box }: TabOptions): Leave {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const terminal = new Terminal({
    cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: 14,
    lineHeight: 1.2,
    scrollback: 10_000,
    screenReaderMode: true,
    theme: dark.matches ? COLORS.dark : COLORS.light,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  const screen = h('div', { class: 'screen' });
  const status = h('p', { class: 'quiet terminal-state', role: 'status' }, 'Connecting…');
  fill(
    place,
    screen,
    h(
      'div',
      { class: 'terminal-foot' },
      status,
      button('New terminal', () => connection.restart(), 'plain'),
    ),
  );
  terminal.open(screen);
  const connection = new TerminalConnection(terminal, box, (text) => fill(status, text));
  const refit = (): void => {
    if (screen.clientHeight > 0) fit.fit();
  };
  const observer = new ResizeObserver(refit);
  observer.observe(screen);
  refit();
  const recolor = (): void => {
    terminal.options.theme = dark.matches ? COLORS.dark : COLORS.light;
  };
  dark.addEventListener('change', recolor);
  // Tab belongs to the shell; F6 leads out of the terminal, as the line below it says.
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.key !== 'F6') return true;
    event.preventDefault();
    if (event.type === 'keydown') document.getElementById('tab-terminal')?.focus();
    return false;
  });
  terminal.focus();
  connection.open();
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', recolor);
    connection.close();
    terminal.dispose();
  };
}

/** Joins the screen with a terminal of the sandbox, one at a time. */
class TerminalConnection {
  private remote: RemoteTerminal | undefined;
  /** Counts the terminals that were opened here: what an earlier one says is of no interest any more. */
  private turn = 0;

  constructor(
    private readonly screen: Terminal,
    private readonly box: Sandbox,
    private readonly tell: (text: string) => void,
  ) {
    screen.onData((text) => this.remote?.write(text));
    screen.onBinary((text) => this.remote?.write(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    screen.onResize((size) => this.remote?.resize(size));
  }

  /** Goes on with the shell that this tab had, if it still runs, or opens one. */
  open(): void {
    const saved = sessionStorage.getItem(seqKey(this.box.id));
    void this.show(saved === null ? undefined : Number(saved));
  }

  restart(): void {
    this.close();
    sessionStorage.removeItem(seqKey(this.box.id));
    this.screen.reset();
    void this.show();
    this.screen.focus();
  }

  close(): void {
    this.turn += 1;
    this.remote?.close();
    this.remote = undefined;
  }

  private async show(saved?: number): Promise<void> {
    const turn = ++this.turn;
    const isOver = (): boolean => this.turn !== turn;
    const tell = (text: string): void => {
      if (!isOver()) this.tell(text);
    };
    const seq = saved !== undefined && (await this.isRunning(saved)) ? saved : undefined;
    if (isOver()) return;
    const { cols, rows } = this.screen;
    const onConnection = (joined: boolean): void =>
      tell(joined ? 'Connected. F6 leaves the terminal.' : 'Connection lost: trying again…');
    const remote = this.box.terminal({ cols, rows, seq, onConnection });
    this.remote = remote;
    remote.seq.then(
      (number) => sessionStorage.setItem(seqKey(this.box.id), String(number)),
      () => undefined,
    );
    try {
      // Waits for the screen, so that a flood of output stays in the sandbox.
      for await (const bytes of remote.output) {
        if (isOver()) return;
        await new Promise<void>((shown) => this.screen.write(bytes, shown));
      }
      await remote.exit;
      tell('The shell has ended.');
    } catch (error) {
      tell(textOf(error));
    }
    if (!isOver()) sessionStorage.removeItem(seqKey(this.box.id));
  }

  private isRunning(seq: number): Promise<boolean> {
    return this.box.event(seq).then(
      ({ result }) => result === null,
      () => false,
    );
  }
}
