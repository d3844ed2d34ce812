/**
 * What a terminal acts on instead of showing: C0 and C1 control characters and DEL (ECMA-48), and the characters that
 * reorder or break lines of text (Unicode Bidirectional Algorithm, section 2; U+2028 and U+2029). Half a surrogate pair
 * can't be encoded.
 */
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code <= 0xff ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

/**
 * Text from elsewhere (a host, AWS, tags, file names) as one line that a terminal shows and doesn't act on: what it would
 * act on is written as an escape, for example `\x1b` or `\n`.
 */
export const printable = (text: string): string => text.replace(UNPRINTABLE, escaped);

const TAB_STOP = 8;

/** As printable, for text of several lines: line ends stay (CRLF as LF), and tabs become spaces. */
export const printableLines = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => printable(withoutTabs(line)))
    .join('\n');

function withoutTabs(line: string): string {
  const [first = '', ...rest] = line.split('\t');
  return rest.reduce((text, part) => text + ' '.repeat(TAB_STOP - (text.length % TAB_STOP)) + part, first);
}

/** JSON on one line, in which nothing that a terminal acts on stands for itself. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(UNPRINTABLE, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
