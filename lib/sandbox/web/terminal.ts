import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { of } from './api';
import type { Leave } from './app';
import { button, fill, h } from './dom';
import { textOf } from './messages';
import type { TabOptions } from './sandbox';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** RFC 6455, section 7.4.1: the terminal has ended. Any other code asks for another try. */
const ENDED = 1000;

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

/** The terminals of this tab, so that leaving the page and coming back shows the same shell. */
const seqKey = (id: string): string => `terminal:${id}`;

/** A login shell in the sandbox. A lost connection comes back to the same shell and shows what it missed, once. */
export function terminalTab(place: HTMLElement, options: TabOptions): Leave {
  const { id } = options;
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
  const connection = new TerminalConnection(terminal, options, (text) => fill(status, text));
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
  connection.open(sessionStorage.getItem(seqKey(id)));
  return () => {
    observer.disconnect();
    dark.removeEventListener('change', recolor);
    connection.close();
    terminal.dispose();
  };
}

class TerminalConnection {
  private socket: WebSocket | undefined;
  private seq: string | null = null;
  /** Offset of the next byte. */
  private offset = 0;
  private wait = FIRST_RETRY_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;
  private readonly encoder = new TextEncoder();

  constructor(
    private readonly terminal: Terminal,
    private readonly options: TabOptions,
    private readonly tell: (text: string) => void,
  ) {
    terminal.onData((text) => this.send(this.encoder.encode(text)));
    terminal.onBinary((text) => this.send(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    terminal.onResize(({ cols, rows }) => this.send(JSON.stringify({ type: 'resize', cols, rows })));
  }

  open(seq: string | null): void {
    this.seq = seq;
    void this.connect();
  }

  restart(): void {
    this.leaveSocket();
    sessionStorage.removeItem(seqKey(this.options.id));
    this.terminal.reset();
    this.offset = 0;
    this.wait = FIRST_RETRY_MS;
    this.open(null);
    this.terminal.focus();
  }

  close(): void {
    this.closed = true;
    this.leaveSocket();
  }

  private leaveSocket(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }

  private send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(data);
  }

  private async connect(): Promise<void> {
    const { api, id } = this.options;
    let ticket: string;
    try {
      ticket = await api.ticket(id);
    } catch (error) {
      this.tell(textOf(error));
      this.again();
      return;
    }
    if (this.closed) return;
    const url = new URL(`${of(id)}/pty`, location.href.replace(/^http/, 'ws'));
    const { cols, rows } = this.terminal;
    const query = { ticket, cols, rows, ...(this.seq === null ? {} : { seq: this.seq, offset: this.offset }) };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    let started = false;
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (this.socket !== socket) return;
      if (typeof data !== 'string') {
        this.offset += data.byteLength;
        this.terminal.write(new Uint8Array(data));
        return;
      }
      started = true;
      this.control(JSON.parse(data) as Readonly<Record<string, unknown>>);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      // A terminal that is gone, with its sandbox or for its age, is replaced by a new one.
      if (!started && this.seq !== null) {
        this.seq = null;
        this.offset = 0;
        sessionStorage.removeItem(seqKey(id));
      }
      if (code !== ENDED) {
        this.tell('Connection lost: trying again…');
        this.again();
      }
    };
  }

  private control(frame: Readonly<Record<string, unknown>>): void {
    const { id } = this.options;
    switch (frame.type) {
      case 'started':
        this.seq = String(frame.seq);
        this.wait = FIRST_RETRY_MS;
        sessionStorage.setItem(seqKey(id), this.seq);
        this.tell('Connected. F6 leaves the terminal.');
        // Its size may have changed while nothing was connected.
        this.send(JSON.stringify({ type: 'resize', cols: this.terminal.cols, rows: this.terminal.rows }));
        return;
      case 'gap':
        this.offset = Number(frame.offset) + Number(frame.length);
        return;
      case 'error':
        this.tell(String(frame.detail));
        return;
      case 'exit':
        sessionStorage.removeItem(seqKey(id));
        this.tell('The shell has ended.');
    }
  }

  private again(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.connect(), this.wait);
    this.wait = Math.min(2 * this.wait, LAST_RETRY_MS);
  }
}
