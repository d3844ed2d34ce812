import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BASE_IMAGE, ensureBaseImage, hasImage } from './base-image';
import { withMachineLock } from '../run/machine-lock';
import { ROOT } from '../run/paths';

const run = promisify(execFile);
const DOCKER_FOLDER = join(ROOT, 'docker');

export interface AgentImageOptions {
  /** Default: BASE_IMAGE. */
  readonly base?: string;
  /** The build argument AGENTS. Default: none. */
  readonly agents?: string;
}

/**
 * Tag of the agent image, built from docker/ unless the engine has one of the same content. Throws what the build printed
 * when it fails. Test files that run side by side wait for one build.
 */
export async function agentImage(options: AgentImageOptions = {}): Promise<string> {
  const base = await ensureBaseImage(options.base ?? BASE_IMAGE);
  const agents = options.agents ?? '';
  const tag = `mngr-fargate-test/agent:${await contentHash(base, agents)}`;
  if (await hasImage(tag)) return tag;
  return withMachineLock('agent-image', async () => {
    if (await hasImage(tag)) return tag;
    const buildArgs = ['--build-arg', `BASE=${base}`, '--build-arg', `AGENTS=${agents}`];
    try {
      await run('docker', ['build', '--force-rm', '--network', 'host', ...buildArgs, '--tag', tag, DOCKER_FOLDER], {
        maxBuffer: 64 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`docker build failed:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`, { cause: error });
    }
    return tag;
  });
}

/** Changes with every file of the build context and with what the build starts from. */
async function contentHash(base: string, agents: string): Promise<string> {
  const { stdout: baseId } = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', base]);
  const hash = createHash('sha256').update(`${baseId}\0${agents}\0`);
  const entries = await readdir(DOCKER_FOLDER, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    hash.update(`${file.slice(DOCKER_FOLDER.length)}\0`).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}
