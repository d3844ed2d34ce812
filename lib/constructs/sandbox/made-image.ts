import { rmSync } from 'node:fs';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { DISABLE_ASSET_STAGING_CONTEXT } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';

export interface MadeImageProps {
  /** A temporary folder with the Dockerfile. */
  readonly folder: string;

  /**
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * @default - none
   */
  readonly buildArgs?: Record<string, string>;
}

/** The image of a folder that was put together for it. The folder is removed: the assembly has a copy. */
export function assetOfMadeFolder(
  scope: Construct,
  { folder, architecture, buildArgs }: MadeImageProps,
): DockerImageAsset {
  const asset = new DockerImageAsset(scope, 'Asset', {
    directory: folder,
    platform: architecture === CpuArchitecture.ARM64 ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
    buildArgs,
  });
  const isCopied = !scope.node.tryGetContext(DISABLE_ASSET_STAGING_CONTEXT);
  if (isCopied) rmSync(folder, { recursive: true });
  return asset;
}
