import { styleText } from 'node:util';
import { printableLines } from '../../util/printable';

const COLOURS = ['green', 'yellow', 'red', 'cyan', 'magenta', 'blue', 'dim'] as const;

export type Colour = (typeof COLOURS)[number];

/** Coloured text. Whether colours are welcome is for the caller to ask (hasColour): styleText itself only looks at stdout. */
export const coloured = (colour: Colour, text: string): string => styleText(colour, text, { validateStream: false });

/** The control sequences that `coloured` writes. */
const OWN_SEQUENCES = new Set(COLOURS.flatMap((colour) => coloured(colour, '|').split('|')));

// eslint-disable-next-line no-control-regex
const SEQUENCE = /(\u001b\[\d+m)/;

/** Lines for a terminal, in which every control character is escaped but line ends and those of `coloured`. */
export const printableText = (text: string): string =>
  text
    .split(SEQUENCE)
    .map((part) => (OWN_SEQUENCES.has(part) ? part : printableLines(part)))
    .join('');
