import { SCRIPT_NAME } from '../exec/script-name';
import { WrapperOutput } from '../exec/output-lines';

/** Words as `shellCommand` writes them, quotes kept. */
const WORD = /(?:'[^']*'|\\.|[^\s'\\])+/g;
/** Words between the script's name and the user's command: marker, tag, limit, variables and folder; or no tag. */
const SETTINGS = { streams: 5, terminal: 4 };
const MARKER = /^[0-9a-f]{16}$/;

interface Wrapped {
  readonly marker: string;
  /** Undefined for a command on a terminal. */
  readonly tag: string | undefined;
  readonly command: string;
}

/** What `exec` and `cp` have wrapped in a script of theirs; undefined for other commands. */
function unwrapped(recorded: string): Wrapped | undefined {
  const words: readonly string[] = recorded.match(WORD) ?? [];
  const at = words.indexOf(SCRIPT_NAME);
  const [marker = '', second = ''] = words.slice(at + 1);
  if (at === -1 || words[0] !== 'sh' || !MARKER.test(marker)) return undefined;
  const tag = /^:[g-v]+$/.test(second) ? second : undefined;
  const settings = tag === undefined ? SETTINGS.terminal : SETTINGS.streams;
  return { marker, tag, command: words.slice(at + 1 + settings).join(' ') };
}

/** A command as the user gave it, which for `exec` is at the end of what was recorded. */
export const shownCommand = (recorded: string): string => unwrapped(recorded)?.command ?? recorded;

/** What a session showed, where the recorded command says how it is to be read. */
export function shownOutput(recorded: string | null, transcript: string): string {
  const { marker, tag } = unwrapped(recorded ?? '') ?? {};
  if (marker === undefined) return transcript;
  if (tag === undefined) return transcript.replaceAll(new RegExp(`${marker} (?:[nsg]|x \\d{1,3});`, 'g'), '');
  let text = '';
  for (const event of new WrapperOutput(marker, tag).push(Buffer.from(transcript))) {
    if (event.kind === 'output') text += event.bytes.toString('utf8');
  }
  return text;
}
