/**
 * The images that a Dockerfile builds on, in order and without repetition: its FROM lines with the ARGs before the first
 * of them filled in, without `scratch` and the names of earlier stages. A name that still has a variable in it, such as
 * a platform argument that only the builder knows, is left out.
 */
export function baseImages(dockerfile: string, buildArgs: Readonly<Record<string, string>> = {}): string[] {
  const args = new Map<string, string>();
  const stages = new Set<string>();
  const bases: string[] = [];
  for (const [instruction = '', ...words] of instructions(dockerfile)) {
    if (instruction === 'ARG' && bases.length + stages.size === 0) {
      for (const word of words) {
        const [name = '', preset] = splitOnce(word, '=');
        const value = buildArgs[name] ?? (preset === undefined ? undefined : fill(unquoted(preset), args));
        if (value !== undefined) args.set(name, value);
      }
    }
    if (instruction !== 'FROM') continue;
    const [image = '', as, stage] = words.filter((word) => !word.startsWith('--'));
    const base = fill(image, args);
    if (base !== 'scratch' && !base.includes('$') && !stages.has(base.toLowerCase())) bases.push(base);
    if (as?.toUpperCase() === 'AS' && stage !== undefined) stages.add(stage.toLowerCase());
    else stages.add('');
  }
  return [...new Set(bases)];
}

/** Each instruction's words, the instruction itself in capitals; comments dropped, continued lines joined. */
function instructions(dockerfile: string): string[][] {
  return dockerfile
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\[ \t]*\n/g, ' ')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([instruction = '', ...words]) => [instruction.toUpperCase(), ...words]);
}

/** Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; unknown names stay as they are. */
function fill(text: string, args: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (whole, bare?: string, braced?: string, operator?: string, word = '') => {
      const value = args.get(bare ?? braced ?? '');
      if (operator === '-') return value === undefined || value === '' ? word : value;
      if (operator === '+') return value === undefined || value === '' ? '' : word;
      return value ?? whole;
    },
  );
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2');
