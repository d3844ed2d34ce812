import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interpreterOf, pythonOfMngr } from '../../../lib/mngr/plugin/mngr-python';

test.each([
  ['pip', '#!/home/me/.venv/bin/python3.12\nimport sys\n', '/home/me/.venv/bin/python3.12'],
  [
    'uv',
    '#!/home/me/.local/share/uv/tools/imbue-mngr/bin/python\n',
    '/home/me/.local/share/uv/tools/imbue-mngr/bin/python',
  ],
  [
    'pipx',
    '#!/home/me/.local/share/pipx/venvs/imbue-mngr/bin/python -E\n',
    '/home/me/.local/share/pipx/venvs/imbue-mngr/bin/python',
  ],
  ['pip, a long path', "#!/bin/sh\n'''exec' /very/long/python3 \"$0\" \"$@\"\n' '''\n", '/very/long/python3'],
  ['pip, spaces', '#!/bin/sh\n\'\'\'exec\' "/Users/me/My Tools/python" "$0" "$@"\n', '/Users/me/My Tools/python'],
  ['uv, spaces', "#!/bin/sh\n'''exec' '/Users/me/My Tools/python' \"$0\" \"$@\"\n", '/Users/me/My Tools/python'],
])('the interpreter of a script by %s', (_, script, python) => {
  expect(interpreterOf(script)).toBe(python);
});

test.each(['', 'import sys', '#!/usr/bin/env python3\n', '#!/bin/sh\nexec python "$@"\n', '\u007fELF\u0001'])(
  'none of %j',
  (script) => {
    expect(interpreterOf(script)).toBeUndefined();
  },
);

describe('the mngr on the PATH', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-python-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, 'bin');
  mkdirSync(bin);

  test('is followed to the script that a link points to', async () => {
    const script = join(folder, 'script');
    writeFileSync(script, '#!/opt/mngr/bin/python\n');
    chmodSync(script, 0o755);
    symlinkSync(script, join(bin, 'mngr'));
    await expect(pythonOfMngr({ PATH: `/nowhere:${bin}` })).resolves.toBe('/opt/mngr/bin/python');
  });

  test('that is something else is refused', async () => {
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'mngr'), '#!/bin/bash\n', { mode: 0o755 });
    await expect(pythonOfMngr({ PATH: other })).rejects.toMatchObject({
      code: 'usage',
      message: `${other}/mngr does not say which Python runs it`,
    });
  });

  test('may be missing', async () => {
    await expect(pythonOfMngr({ PATH: folder })).rejects.toMatchObject({
      code: 'not-found',
      message: 'mngr is not on the PATH',
    });
  });
});
