import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI_WORDS } from '../support/cli/cli-program';
import { ROOT } from '../support/run/paths';
import { describeWith, mountRights } from '../support/run/requirements';

/** Runs the program with its output in a file. */
function runInto(file: string, words: readonly string[]) {
  const output = openSync(file, 'a');
  try {
    return spawnSync(process.execPath, [...CLI_WORDS, ...words], {
      cwd: ROOT,
      stdio: ['ignore', output, 'pipe'],
      encoding: 'utf8',
    });
  } finally {
    closeSync(output);
  }
}

const OUT_OF_SPACE = 'mngr-fargate: cannot write the output: ENOSPC: no space left on device, write\n';

test('output that cannot be written is an error', () => {
  for (const words of [['version'], ['version', '--json'], ['completion', 'bash']]) {
    expect(runInto('/dev/full', words)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(new RegExp(`${OUT_OF_SPACE}$`)) as string,
    });
  }
});

describeWith(mountRights, 'a disk that is nearly full', () => {
  test('a result of which only a part fits is an error', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-output-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', folder]);
    try {
      const file = join(folder, 'output');
      writeFileSync(file, 'x'.repeat(8000));
      expect(runInto(file, ['completion', 'bash'])).toMatchObject({ status: 1, stderr: OUT_OF_SPACE });
      expect(statSync(file).size).toBe(8192);
    } finally {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    }
  });
});
