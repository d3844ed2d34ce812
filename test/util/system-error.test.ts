import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { asMngrFargateError, errorText } from '../../lib/cli/error-report';
import { cannotWrite } from '../../lib/util/atomic-file';

const plain = { verbose: false, debug: false };

/** Codes that can only come from a fault of ours, or from calls that we don't make. */
const OURS = new Set(['EBADF', 'EFAULT', 'EINVAL', 'ENOTSOCK', 'EDESTADDRREQ', 'UNKNOWN']);

describe('errors of the operating system, as a user reads them', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mngr-errors-'));
    await writeFile(join(folder, 'file'), 'text');
    await mkdir(join(folder, 'full', 'inner'), { recursive: true });
    await symlink('loop', join(folder, 'loop'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([...getSystemErrorMap().values()])('%s: %s', (code) => {
    const error = Object.assign(new Error(`${code}: ${code}, open '/x'`), {
      code,
      errno: -1,
      syscall: 'open',
      path: '/x',
    });
    const shown = asMngrFargateError(error);
    expect(shown.message).toMatch(/^cannot open \/x: [a-z]/);
    expect(shown.message).not.toContain(code);
    if (!OURS.has(code)) expect(errorText(shown, plain)).not.toContain('unexpected');
    expect(cannotWrite('/x', error).message).toMatch(/^cannot write \/x: [a-z]/);
  });

  const real: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    [
      'a file that is not there',
      () => readFile(join(folder, 'absent')),
      { code: 'not-found', says: /^cannot open .*absent: no such file or directory$/ },
    ],
    [
      'a folder in place of a file',
      () => readFile(folder),
      { code: 'failed', says: /^cannot read.*: it is a folder$/, hint: /name a file/ },
    ],
    [
      'a file in place of a folder',
      () => readdir(join(folder, 'file')),
      { code: 'failed', says: /^cannot read .*file: a part of the path is not a folder$/, hint: /is a file/ },
    ],
    [
      'a link to itself',
      () => readFile(join(folder, 'loop')),
      { code: 'failed', says: /^cannot open .*loop: too many symbolic links/, hint: /remove it/ },
    ],
    [
      'a name that is too long',
      () => writeFile(join(folder, 'x'.repeat(300)), ''),
      { code: 'failed', says: /: name too long$/, hint: /shorter/ },
    ],
    [
      'a folder that is there already',
      () => mkdir(join(folder, 'full')),
      { code: 'failed', says: /^cannot create .*full: it already exists$/, hint: /another name/ },
    ],
    [
      'a full disk',
      () => writeFile('/dev/full', 'text'),
      { code: 'failed', says: /^cannot write.*: no space left on device$/, hint: /free some disk space/ },
    ],
    [
      'a program that is not installed',
      () => once(spawn('no-such-program-of-ours'), 'spawn'),
      { code: 'failed', says: /^cannot run no-such-program-of-ours: there is no such program/, hint: /^install/ },
    ],
    [
      'a port where nothing listens',
      () => once(createConnection({ host: '127.0.0.1', port: 1 }), 'connect'),
      {
        code: 'unreachable',
        says: /^cannot connect to 127\.0\.0\.1 port 1: connection refused$/,
        hint: /nothing listens/,
      },
    ],
    [
      'a port that is taken',
      async () => {
        const first = createServer();
        await once(first.listen(0, '127.0.0.1'), 'listening');
        try {
          const { port } = first.address() as AddressInfo;
          await once(createServer().listen(port, '127.0.0.1'), 'listening');
        } finally {
          first.close();
        }
      },
      {
        code: 'failed',
        says: /^cannot listen on 127\.0\.0\.1 port \d+: address already in use$/,
        hint: /another port/,
      },
    ],
  ];

  test.each(real)('%s', async (_what, act, expected) => {
    const { code, says, hint } = expected as { code: string; says: RegExp; hint?: RegExp };
    const error = asMngrFargateError(
      await act().then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) as string });
    if (hint !== undefined) expect(error.hint).toMatch(hint);
    expect(errorText(error, plain)).not.toMatch(/unexpected|MNGR_FARGATE_DEBUG|\bat .*\.[jt]s/);
  });

  test('what is not of the system stays unexpected, with the way to its stack trace', () => {
    expect(asMngrFargateError(new TypeError('x is not a function'))).toMatchObject({
      code: 'failed',
      message: 'unexpected error: TypeError: x is not a function',
      hint: expect.stringContaining('MNGR_FARGATE_DEBUG=1') as string,
    });
  });
});
