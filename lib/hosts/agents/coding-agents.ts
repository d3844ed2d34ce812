import type { Screen } from './screen';

/** A coding agent whose first start and whose screen this package knows. */
export type CodingAgent = 'claude' | 'codex' | 'opencode';

export const AGENT_TITLES: Readonly<Record<CodingAgent, string>> = {
  claude: 'Claude Code',
  codex: 'Codex',
  opencode: 'OpenCode',
};

/** File names of the programs: the commands themselves, and the scripts and binaries behind them. */
const PROGRAMS: Readonly<Record<string, CodingAgent>> = {
  claude: 'claude',
  'claude.exe': 'claude',
  codex: 'codex',
  'codex.js': 'codex',
  opencode: 'opencode',
  'opencode.exe': 'opencode',
};
/** Programs that run the script which is their first argument. */
const RUNTIMES = /^(node|bun|deno)$/;

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The agent that a process is, by its words; a shell script that happens to have an agent's name is not one. */
export function agentOfProcess(words: readonly string[]): CodingAgent | undefined {
  const [program = '', script = ''] = words;
  return PROGRAMS[RUNTIMES.test(fileName(program)) ? fileName(script) : fileName(program)];
}

/** The agent that a command starts, be it by way of `env`, `npx` or `sh -c`. */
export function agentOfCommand(command: readonly string[]): CodingAgent | undefined {
  const words = command.flatMap((word) => word.split(/[\s;&|()'"]+/));
  const packages: Readonly<Record<string, CodingAgent>> = {
    '@anthropic-ai/claude-code': 'claude',
    '@openai/codex': 'codex',
    'opencode-ai': 'opencode',
  };
  const agents = words.map((word) => packages[word.replace(/(?<=.)@[^/]*$/, '')] ?? PROGRAMS[fileName(word)]);
  return agents.find((agent) => agent !== undefined);
}

/** Where an agent takes text: its rows on the screen, and what stands in them without the hints. */
export interface InputBox {
  readonly rows: readonly number[];
  readonly text: string;
  /** What the text would be instead of a message, for example a command of a shell. */
  readonly mode: 'message' | 'shell-command';
}

/**
 * The input box of an agent, or undefined where something else has the keyboard. The cursor must stand in it: output can
 * look like anything, but programs put the cursor where they take text.
 */
export function inputBox(agent: CodingAgent, screen: Screen): InputBox | undefined {
  const box = { claude: claudeBox, codex: codexBox, opencode: openCodeBox }[agent](screen);
  return box?.rows.includes(screen.cursor.y) === true ? box : undefined;
}

/** Claude Code (2.1): rows between two rules, the first of which begins with the prompt; `!` stands there in shell mode. */
function claudeBox({ rows, cursor }: Screen): InputBox | undefined {
  const isRule = (index: number): boolean => rows[index]?.text.startsWith('────────') === true;
  let top = cursor.y;
  while (top >= 0 && !isRule(top)) top--;
  let bottom = cursor.y;
  while (bottom < rows.length && !isRule(bottom)) bottom++;
  const inside = range(top + 1, bottom);
  const first = rows[top + 1]?.text ?? '';
  if (top < 0 || bottom >= rows.length || !/^[❯>!](\s|$)/u.test(first)) return undefined;
  const text = inside.map((index) => rows[index]?.typed.slice(index === top + 1 ? 1 : 0) ?? '');
  return { rows: inside, text: trimmed(text), mode: first.startsWith('!') ? 'shell-command' : 'message' };
}

/** Codex (0.169): a row that begins with `›`, and indented ones. The cursor is hidden while a choice is to be made. */
function codexBox({ rows, cursor }: Screen): InputBox | undefined {
  if (!cursor.visible || isCodexSplash(rows)) return undefined;
  let top = cursor.y;
  while (top > 0 && /^(\s|$)/u.test(rows[top]?.text ?? '')) top--;
  const first = rows[top]?.text ?? '';
  if (!/^[›!](\s|$)/u.test(first)) return undefined;
  let bottom = cursor.y + 1;
  while ((rows[bottom]?.text ?? '').trim() !== '') bottom++;
  const inside = range(top, bottom);
  const text = inside.map((index) => rows[index]?.typed.slice(index === top ? 1 : 0) ?? '');
  return { rows: inside, text: trimmed(text), mode: first.startsWith('!') ? 'shell-command' : 'message' };
}

/**
 * For its first seconds Codex shows its logo, in braille characters, with an input line that takes no text yet. Once it
 * does, the row below names the model and the folder.
 */
function isCodexSplash(rows: Screen['rows']): boolean {
  const logo = rows.filter(({ text }) => /[\u2800-\u28ff]{6}/u.test(text));
  return logo.length >= 8 && !rows.slice(-4).some(({ text }) => /\S · \S/u.test(text));
}

/** OpenCode (1.18): rows with a bar at their left, above a corner. The last row that is filled names the model. */
function openCodeBox({ rows, cursor }: Screen): InputBox | undefined {
  const hasBar = (index: number): boolean => /^\s*┃/u.test(rows[index]?.text ?? '');
  if (!cursor.visible || !hasBar(cursor.y)) return undefined;
  let top = cursor.y;
  while (hasBar(top - 1)) top--;
  let bottom = cursor.y;
  while (hasBar(bottom)) bottom++;
  if (!/^\s*╹▀/u.test(rows[bottom]?.text ?? '')) return undefined;
  const inside = range(top, bottom);
  const lines = inside.map(
    (index) =>
      /^\s*┃(.*)/u
        .exec(rows[index]?.typed ?? '')?.[1]
        ?.split(/\s{8}/)[0]
        ?.trim() ?? '',
  );
  const model = lines.findLastIndex((line) => line !== '');
  const text = trimmed(lines.slice(0, Math.max(model, 0)));
  return {
    rows: inside,
    text: /^Ask anything… ".*"$/u.test(text) ? '' : text,
    mode: /^Shell\b/u.test(lines[model] ?? '') ? 'shell-command' : 'message',
  };
}

const trimmed = (lines: readonly string[]): string =>
  lines
    .map((line) => line.replaceAll('\u00a0', ' ').trim())
    .join('\n')
    .trim();

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
