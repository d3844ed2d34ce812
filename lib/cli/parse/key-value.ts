import { MngrFargateError } from '../../contract/errors';

/** `KEY=VALUE` pairs of a repeatable option. The value may be empty and may contain `=`. */
export function keyValues(pairs: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)];
      throw new MngrFargateError('usage', `${option} takes KEY=VALUE, not ${JSON.stringify(pair)}`);
    }),
  );
}

/** Variables of `--env`: `KEY`, which takes its value from the environment, or `KEY=VALUE`. */
export function environmentPairs(pairs: readonly string[], environment: NodeJS.ProcessEnv): Record<string, string> {
  return keyValues(
    pairs.map((pair) => {
      if (pair.includes('=')) return pair;
      const value = environment[pair];
      if (value !== undefined) return `${pair}=${value}`;
      throw new MngrFargateError('usage', `--env ${pair}: the variable ${pair} is not set in this environment`, {
        hint: `set it first (export ${pair}=…), or, for a value that is not secret, use --env ${pair}=VALUE`,
      });
    }),
    '--env',
  );
}

/** Changes of `tag`: `KEY=VALUE` sets, `KEY-` removes. */
export function tagChanges(words: readonly string[]): { set: Record<string, string>; remove: string[] } {
  const isRemoval = (word: string): boolean => /^[^=]+-$/.test(word);
  return {
    set: keyValues(
      words.filter((word) => !isRemoval(word)),
      'tag',
    ),
    remove: words.filter(isRemoval).map((word) => word.slice(0, -1)),
  };
}
