import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystem } from 'aws-cdk-lib';
import type { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { packageRoot } from '../../util/package-root';
import type { IAgentImage } from '../environment/agent-image';
import { assetOfMadeFolder } from './made-image';

export interface SandboxServiceImageProps {
  /**
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;
}

/** Packages with native parts, which the bundle leaves out. */
const UNBUNDLED = ['better-sqlite3', 'ssh2'] as const;
/** What `npm run build` makes that the image needs, below `dist/`: the service, its page, and the engine for sandboxes. */
const BUILT = ['sandbox-service', 'sandboxd', 'web'] as const;

/** The image of the sandbox service, which `cdk deploy` builds and pushes. Node, one bundle, no root. */
export class SandboxServiceImage extends Construct implements IAgentImage {
  readonly containerImage: ContainerImage;
  readonly imageUri: string;
  readonly isInEcr = true;

  constructor(scope: Construct, id: string, props: SandboxServiceImageProps = {}) {
    super(scope, id);
    const asset = assetOfMadeFolder(this, { folder: sandboxServiceImageFolder(), ...props });
    this.containerImage = ContainerImage.fromDockerImageAsset(asset);
    this.imageUri = asset.imageUri;
  }
}

/**
 * A folder that the service's image is built from.
 *
 * Throws if the package hasn't been built.
 */
export function sandboxServiceImageFolder(): string {
  const root = packageRoot();
  const missing = BUILT.find((name) => !existsSync(join(root, 'dist', name)));
  if (missing !== undefined) {
    throw new Error(
      `the sandbox service's image needs dist/${missing}, which isn't there: run "npm run build", ` +
        'or give the image with -c sandboxServiceImage=<uri>',
    );
  }
  const folder = FileSystem.mkdtemp('mngr-sandbox-service-');
  copyFileSync(join(root, 'docker', 'service', 'Dockerfile'), join(folder, 'Dockerfile'));
  for (const name of BUILT) cpSync(join(root, 'dist', name), join(folder, 'dist', name), { recursive: true });

  const { name, version } = manifestOf(root);
  const dependencies = Object.fromEntries(
    UNBUNDLED.map((module) => [module, manifestOf(join(root, 'node_modules', module)).version]),
  );
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name, version, private: true, dependencies }, null, 2)}\n`,
  );
  return folder;
}

const manifestOf = (folder: string): { readonly name: string; readonly version: string } =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string };
