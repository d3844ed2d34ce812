import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { withMachineLock } from '../run/machine-lock';
import { packSqlitePrebuild } from '../run/sqlite-prebuild';
import { BASE_IMAGE, ensureBaseImage, hasImage } from './base-image';

const run = promisify(execFile);

/** What the service's image is built on. */
const NODE_IMAGE = 'node:24-bookworm-slim';
/** This machine's Node in Debian, for where no registry answers. */
const MADE_IMAGE = `mngr-fargate-test/node:${process.versions.node}`;

/** Certificates that the machine trusts, for example of a proxy between it and the npm registry. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

const DOCKERFILE = `FROM ${BASE_IMAGE}
COPY bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY certificates ${CERTIFICATES}
COPY prebuilds /prebuilds
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
  && useradd --uid 1000 --user-group --create-home node \\
  && echo local-prebuilds=/prebuilds >/etc/prebuild-installrc
ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES} npm_config_cafile=${CERTIFICATES}
`;

/**
 * An image with Node and npm, as the service's image needs one below it: pulled, or made of this machine's Node. The made
 * one has this machine's build of better-sqlite3, which comes from GitHub otherwise.
 */
export async function nodeImage(): Promise<string> {
  for (const name of [NODE_IMAGE, MADE_IMAGE]) if (await hasImage(name)) return name;
  return withMachineLock('node-image', async () => {
    for (const name of [NODE_IMAGE, MADE_IMAGE]) if (await hasImage(name)) return name;
    try {
      await run('docker', ['pull', '--quiet', NODE_IMAGE]);
      return NODE_IMAGE;
    } catch {
      await make();
      return MADE_IMAGE;
    }
  });
}

async function make(): Promise<void> {
  await ensureBaseImage();
  const folder = await mkdtemp(join(tmpdir(), 'mngr-node-image-'));
  try {
    await mkdir(join(folder, 'bin'));
    await cp(process.execPath, join(folder, 'bin', 'node'));
    await cp(npmFolder(), join(folder, 'npm'), { recursive: true });
    await writeFile(join(folder, 'certificates'), '');
    if (existsSync(CERTIFICATES)) await cp(CERTIFICATES, join(folder, 'certificates'));
    await packSqlitePrebuild(join(folder, 'prebuilds'));
    await writeFile(join(folder, 'Dockerfile'), DOCKERFILE);
    await run('docker', ['build', '--quiet', '--network', 'host', '--tag', MADE_IMAGE, folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const npmFolder = (): string => resolve(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
