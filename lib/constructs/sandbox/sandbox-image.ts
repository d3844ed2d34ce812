import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystem } from 'aws-cdk-lib';
import type { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { packageRoot } from '../../util/package-root';
import type { IAgentImage } from '../environment/agent-image';
import { assetOfMadeFolder } from './made-image';

export interface SandboxImageProps {
  /**
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * Build arguments of the agents' image, which a sandbox's is built on. They can be read from the image's history, so
   * they may hold no secrets.
   *
   * @default - none
   */
  readonly buildArgs?: Record<string, string>;
}

/** Name of the engine in the image's folder, and the file that `npm run build` makes of it. */
const ENGINE = 'sandboxd.js';
const BUILT_ENGINE = join('dist', 'sandboxd', ENGINE);

/**
 * The image of sandboxes, which `cdk deploy` builds and pushes: the agents' image with Node, the exec engine and the user
 * `sandbox` on top. An image of one's own (`AgentImage.fromUri`) needs no engine, only Node: the service brings its own.
 */
export class SandboxImage extends Construct implements IAgentImage {
  readonly containerImage: ContainerImage;
  readonly imageUri: string;
  readonly isInEcr = true;

  constructor(scope: Construct, id: string, props: SandboxImageProps = {}) {
    super(scope, id);
    const asset = assetOfMadeFolder(this, { folder: sandboxImageFolder(), ...props });
    this.containerImage = ContainerImage.fromDockerImageAsset(asset);
    this.imageUri = asset.imageUri;
  }
}

/**
 * A folder that the image is built from: this package's `docker/` with the sandbox's layers at the end of its Dockerfile,
 * so that the agents' image stays what it is. An engine that isn't built is left out of the image.
 */
export function sandboxImageFolder(): string {
  const docker = join(packageRoot(), 'docker');
  const folder = FileSystem.mkdtemp('mngr-sandbox-image-');
  const ignored = readFileSync(join(docker, '.dockerignore'), 'utf8');
  // Only what the image is made of: the hash of the folder tells whether it has to be built anew.
  for (const name of included(ignored)) cpSync(join(docker, name), join(folder, name), { recursive: true });

  const engine = join(packageRoot(), BUILT_ENGINE);
  const layers = readFileSync(join(docker, 'sandbox', 'layers.dockerfile'), 'utf8');
  const dockerfile = readFileSync(join(docker, 'Dockerfile'), 'utf8');
  if (existsSync(engine)) copyFileSync(engine, join(folder, ENGINE));
  const withEngine = existsSync(engine) ? layers : layers.replace(/^COPY .*sandboxd\.js.*\n/m, '');
  writeFileSync(join(folder, 'Dockerfile'), dockerfile + withEngine);
  writeFileSync(join(folder, '.dockerignore'), `${ignored}!${ENGINE}\n`);
  return folder;
}

/** Names that a `.dockerignore` of `*` and exceptions lets in. */
const included = (ignored: string): string[] =>
  ignored
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1).trim());
