import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { sandboxServiceImageFolder } from '../../../lib/constructs/sandbox/sandbox-service-image';
import { nodeImage } from '../host/node-image';

const run = promisify(execFile);

/** Two tags of the service's image, built as `cdk deploy` builds it. The engine keeps the layers that haven't changed. */
export const SERVICE_IMAGES = [
  'mngr-fargate-test/sandbox-service:one',
  'mngr-fargate-test/sandbox-service:two',
] as const;

/** Builds the image of the sandbox service under the tags of SERVICE_IMAGES. Throws what the build printed. */
export async function buildServiceImages(): Promise<void> {
  const base = await nodeImage();
  const folder = sandboxServiceImageFolder();
  const tags = SERVICE_IMAGES.flatMap((tag) => ['--tag', tag]);
  try {
    await run('docker', ['build', '--network', 'host', '--build-arg', `BASE=${base}`, ...tags, folder], {
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`docker build failed:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
