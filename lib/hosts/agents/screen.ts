/** One row of a pane. */
export interface Row {
  readonly text: string;
  /** The row without text that the program drew dim: hints and completions that nobody typed. */
  readonly typed: string;
}

/** What a pane shows. */
export interface Screen {
  readonly rows: readonly Row[];
  readonly cursor: { readonly x: number; readonly y: number; readonly visible: boolean };
}

/** SGR sequences, the other sequences that `capture-pane -e` may write (hyperlinks), and changes of the character set. */
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\u001b\[([0-9;:]*)m|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u000e\u000f]/g;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
/** At most this much of a screen goes into an error. */
const SHOWN_ROWS = 40;
const SHOWN_COLUMNS = 200;

interface Style {
  readonly dim: boolean;
  readonly reverse: boolean;
}

const PLAIN: Style = { dim: false, reverse: false };

/** The rows of what `tmux capture-pane -e -p` printed. */
export function parseRows(capture: string): Row[] {
  let style = PLAIN;
  return capture.split('\n').map((line) => {
    const pieces: { readonly text: string; readonly style: Style }[] = [];
    let from = 0;
    for (const match of line.matchAll(SEQUENCE)) {
      pieces.push({ text: line.slice(from, match.index), style });
      from = match.index + match[0].length;
      if (match[1] !== undefined) style = changed(style, match[1]);
    }
    pieces.push({ text: line.slice(from), style });
    const seen = pieces.filter(({ text }) => text !== '');
    return {
      text: seen.map(({ text }) => text).join(''),
      // Programs draw their cursor as one reversed character, which hides the dimness of a hint's first one.
      typed: seen
        .filter((piece, index) => !piece.style.dim && !(isCursor(piece) && seen[index + 1]?.style.dim === true))
        .map(({ text }) => text)
        .join(''),
    };
  });
}

const isCursor = ({ text, style }: { readonly text: string; readonly style: Style }): boolean =>
  style.reverse && [...text].length === 1;

/** A style after an SGR sequence. Colours' own parameters are stepped over: `38;5;2` isn't dim. */
function changed(before: Style, parameters: string): Style {
  let { dim, reverse } = before;
  const codes = parameters.split(';');
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? '';
    if (code === '38' || code === '48' || code === '58') index += codes[index + 1] === '2' ? 4 : 2;
    else if (code === '' || code === '0') ({ dim, reverse } = PLAIN);
    else if (code === '2') dim = true;
    else if (code === '22') dim = false;
    else if (code === '7') reverse = true;
    else if (code === '27') reverse = false;
  }
  return { dim, reverse };
}

/** The end of a screen for a person to read: no runs of empty rows, no control characters, and not too much. */
export function shownRows({ rows }: Pick<Screen, 'rows'>): string[] {
  const texts = rows.map(({ text }) => text.replace(CONTROL, '').trimEnd().slice(0, SHOWN_COLUMNS));
  const last = texts.findLastIndex((text) => text !== '');
  return texts
    .slice(0, last + 1)
    .filter((text, index) => text !== '' || (index > 0 && texts[index - 1] !== ''))
    .slice(-SHOWN_ROWS);
}
