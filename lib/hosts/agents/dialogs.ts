import type { Screen } from './screen';

/** What a program on the screen is asking. */
export interface Dialog {
  readonly name: string;
}

/** Texts of the dialogs of Claude Code, Codex and OpenCode, in the words that their releases show. */
const DIALOGS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/Bypass Permissions mode/i, 'whether to bypass permissions'],
  [/Do you trust|Quick safety check|trust this folder|trust the (contents|files)/i, 'whether it may trust the folder'],
  [/custom API key|use this API key/i, 'whether it may use the API key'],
  [/Select login method|Sign in with ChatGPT|Paste code here|Connect a provider/i, 'how to sign in'],
  [/text style|Choose.*theme|Select.*theme/i, 'which theme to use'],
  [/Do you want to|Would you like to|Permission required|Allow (once|always)|requires? approval/i, 'for a permission'],
  [/Select model|Choose.*model|Switch model/i, 'which model to use'],
];
/** A choice with its marked option: `❯ 1. Yes`, `› 1. Yes`, `> 1. Sign in`, `  ❯ No, exit`. */
const MARKED_OPTION = /^\s*(?:[│┃]\s*)?(?:[❯›>]\s*\d+\.\s|\s+❯\s\S)/u;
/** What stands below a choice: which key does what. */
const KEYS = /\b(enter|esc|tab|press|⇆|←→|↑↓).{0,12}\b(to )?(select|confirm|continue|cancel|reject|amend|dismiss)/i;
/** A dialog ends near the bottom of what the screen shows. Rows. */
const LOOKED_AT = 30;

/** The dialog at the end of a screen; undefined where there is none that is known. */
export function dialogOn({ rows }: Pick<Screen, 'rows'>): Dialog | undefined {
  const filled = rows.map(({ text }) => text).filter((text) => text.trim() !== '');
  const end = filled.slice(-LOOKED_AT);
  const isChoice = end.some((text) => MARKED_OPTION.test(text)) || end.slice(-6).some((text) => KEYS.test(text));
  if (!isChoice) return undefined;
  const found = DIALOGS.find(([pattern]) => end.some((text) => pattern.test(text)));
  if (found !== undefined) return { name: found[1] };
  return end.some((text) => MARKED_OPTION.test(text)) && end.slice(-6).some((text) => KEYS.test(text))
    ? { name: 'for a choice' }
    : undefined;
}
