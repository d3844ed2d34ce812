import { styleText } from 'node:util';

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim';

/** Coloured text. Whether colours are welcome is the caller's to ask (hasColour): styleText itself only looks at stdout. */
export const coloured = (colour: Colour, text: string): string => styleText(colour, text, { validateStream: false });
