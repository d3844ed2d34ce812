import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { HostChannel } from '../../contract/channel';
import { SANDBOX_USER, SANDBOXD_DIRECTORY, WORKSPACE } from '../../contract/sandboxd';
import { packageRoot } from '../../util/package-root';
import { shellCommand } from '../../util/shell-quote';
import { SandboxError } from '../model/errors';
import { connectEngine } from './connect-engine';
import type { EngineClient } from './engine-client';

export interface InstallOptions {
  /** The engine's token. It goes over the connection's stdin, and to no file, argument or variable. */
  readonly token: string;
  /** Folders on the host, for tests. Default: those of the contract, below MNGR_ROOT where the host has one. */
  readonly directory?: string;
  readonly workspace?: string;
  readonly home?: string;
  readonly signal?: AbortSignal;
}

/** Where the image has it. */
const IN_IMAGE = '/usr/local/lib/mngr/sandboxd.js';
const OLDEST_NODE = 18;

/** Exit codes of the scripts below, which sh, node and sandboxd don't use. */
const NO_NODE = 90;
const OLD_NODE = 91;
const NO_ENGINE = 92;
const MOST_WORDS = 4_000;

/** Finds Node also where sshd's PATH is short. */
const FIND_NODE = `
root=\${MNGR_ROOT-}
node=$(PATH="$PATH:/usr/local/bin:/usr/bin:/bin" command -v node) || exit ${NO_NODE}
"$node" -e 'process.exit(parseInt(process.versions.node) < ${OLDEST_NODE} ? ${OLD_NODE} : 0)' </dev/null || exit
`;

/** Arguments: digest, directory, workspace, home. The token is on stdin. */
const START = `${FIND_NODE}
for file in ${IN_IMAGE} "$root$2.js"; do
  [ -f "$file" ] || continue
  [ "$(sha256sum "$file" | cut -d ' ' -f 1)" = "$1" ] || continue
  exec "$node" "$file" start --directory "$root$2" --workspace "$root$3" --home "$root$4"
done
exit ${NO_ENGINE}
`;

/** Arguments: directory. The file is on stdin, and takes its name when it is whole. */
const UPLOAD = `
set -e
umask 022
file="\${MNGR_ROOT-}$1.js"
mkdir -p "$(dirname "$file")"
cat >"$file.$$"
mv -f "$file.$$" "$file"
`;

/**
 * Puts the engine on a host unless it is there, starts it unless it runs, and connects to it. An engine of another version is
 * replaced, and takes over its shells and commands. Throws `session_unavailable` with what the host lacks.
 */
export async function installEngine(channel: HostChannel, options: InstallOptions): Promise<EngineClient> {
  const { token, directory = SANDBOXD_DIRECTORY, workspace = WORKSPACE, home = SANDBOX_USER.home, signal } = options;
  const bundle = readBundle();
  const digest = createHash('sha256').update(bundle).digest('hex');
  const start = (): Promise<Answer> =>
    runScript(channel, START, [digest, directory, workspace, home], `${token}\n`, signal);
  let started = await start();
  if (started.exitCode === NO_ENGINE) {
    const put = await runScript(channel, UPLOAD, [directory], bundle, signal);
    if (put.exitCode !== 0) throw cannot(channel, 'be copied to', put);
    started = await start();
  }
  if (started.exitCode === NO_NODE) {
    throw new SandboxError(
      'session_unavailable',
      `${channel.where} has no Node.js, which sandboxd runs on: install nodejs ${OLDEST_NODE} or newer in the image`,
    );
  }
  if (started.exitCode === OLD_NODE) {
    throw new SandboxError(
      'session_unavailable',
      `the Node.js of ${channel.where} is too old for sandboxd: install nodejs ${OLDEST_NODE} or newer in the image`,
    );
  }
  if (started.exitCode !== 0) throw cannot(channel, 'be started on', started);
  const socket = socketIn(started, channel);
  return connectEngine(() => channel.forwardSocket(socket), token);
}

interface Answer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runScript(
  channel: HostChannel,
  script: string,
  args: readonly string[],
  stdin: string | Buffer,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const [stdout, stderr] = [new Words(), new Words()];
  const command = shellCommand(['sh', '-c', script, 'sandboxd', ...args]);
  try {
    const { exitCode } = await channel.exec(command, {
      stdin,
      stdout,
      stderr,
      ...(signal === undefined ? {} : { signal }),
    });
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new SandboxError('session_unavailable', `sandboxd cannot be reached: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The beginning of what a script says. */
class Words extends Writable {
  text = '';

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (this.text.length < MOST_WORDS) this.text += bytes.toString('utf8');
    done();
  }
}

/** What the host says is not ours: only a path is taken from it. */
function socketIn(started: Answer, channel: HostChannel): string {
  try {
    const { socket } = JSON.parse(started.stdout) as { readonly socket?: unknown };
    if (typeof socket === 'string' && socket.startsWith('/')) return socket;
  } catch {
    // Told below.
  }
  throw cannot(channel, 'be started on', started);
}

function cannot(channel: HostChannel, what: string, { exitCode, stderr, stdout }: Answer): SandboxError {
  const words = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
  return new SandboxError(
    'session_unavailable',
    `sandboxd cannot ${what} ${channel.where}: ${words === '' ? `it ended with ${exitCode ?? 'a signal'}` : words.slice(0, 500)}`,
  );
}

function readBundle(): Buffer {
  const path = join(packageRoot(), 'dist', 'sandboxd', 'sandboxd.js');
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SandboxError('session_unavailable', `there is no ${path}: build the package with npm run build`, {
      cause: error,
    });
  }
}
