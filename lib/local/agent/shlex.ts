/** A command line can't be split; `message` is the agent's. */
export class SplitError extends Error {
  override readonly name = 'SplitError';
}

/**
 * Splits a command line into words as the agent does, without a shell: single quotes keep everything, double quotes let
 * a backslash escape any character, and `#` at the beginning of a word makes the rest of the line a comment. Variables,
 * patterns, pipes and lists have no meaning. Throws SplitError.
 */
export function splitCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const characters = [...line];
  const end = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] as string;
    if (/[ \t\r\n]/.test(character)) {
      end();
    } else if (character === '#' && word === undefined) {
      while (index + 1 < characters.length && characters[index + 1] !== '\n') index += 1;
    } else if (character === '\\') {
      index += 1;
      if (index >= characters.length) throw new SplitError('EOF found after escape character');
      word = (word ?? '') + characters[index];
    } else if (character === '"' || character === "'") {
      const quoted = readQuoted(characters, index);
      word = (word ?? '') + quoted.text;
      index = quoted.end;
    } else {
      word = (word ?? '') + character;
    }
  }
  end();
  return words;
}

/** What is between the quote at `start` and its partner at `end`. */
function readQuoted(characters: readonly string[], start: number): { readonly text: string; readonly end: number } {
  const quote = characters[start];
  let text = '';
  for (let index = start + 1; index < characters.length; index += 1) {
    const character = characters[index] as string;
    if (character === quote) return { text, end: index };
    if (quote === '"' && character === '\\') {
      index += 1;
      if (index >= characters.length) throw new SplitError('EOF found after escape character');
    }
    text += characters[index];
  }
  throw new SplitError('EOF found when expecting closing quote');
}
