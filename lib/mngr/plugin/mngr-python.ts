import { readFile, realpath } from 'node:fs/promises';
import { MngrFargateError } from '../../contract/errors';
import { findOnPath } from '../../util/run-program';

const HINT = 'install mngr with "uv tool install imbue-mngr", or name its Python with --python';

/**
 * The Python that runs `mngr`, read from the first lines of the script on the PATH. Throws `not-found` if there is no
 * mngr, `usage` if the script doesn't say.
 */
export async function pythonOfMngr(environment: NodeJS.ProcessEnv): Promise<string> {
  const script = await findOnPath('mngr', environment);
  if (script === undefined) throw new MngrFargateError('not-found', 'mngr is not on the PATH', { hint: HINT });
  const python = interpreterOf(await readFile(await realpath(script), 'latin1'));
  if (python !== undefined) return python;
  throw new MngrFargateError('usage', `${script} does not say which Python runs it`, {
    hint: 'name that Python with --python',
  });
}

/**
 * The interpreter of a script that pip, uv or pipx wrote: `#!/path/python`, by pipx `#!/path/python -E`, or where that
 * path is too long for a `#!` line or has spaces, `#!/bin/sh` and `'''exec' "/path/python" "$0" "$@"`. Undefined for any
 * other script.
 */
export function interpreterOf(script: string): string | undefined {
  const [first = '', second = ''] = script.slice(0, 8192).split('\n', 2);
  if (!first.startsWith('#!')) return undefined;
  const direct = /^#!\s*(\/\S*python[\d.]*)(?:\s+-\w+)?\s*$/.exec(first)?.[1];
  if (direct !== undefined) return direct;
  if (!/^#!\s*\/bin\/sh\s*$/.test(first)) return undefined;
  const quoted = /^'''exec' (?:"(\/[^"]+)"|'(\/[^']+)'|(\/\S+)) "\$0"/.exec(second);
  return quoted?.[1] ?? quoted?.[2] ?? quoted?.[3];
}
