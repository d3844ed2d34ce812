import { join } from 'node:path';
import { Arn, ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { packageRoot } from '../../util/package-root';

/** The image that hosts run. */
export interface IAgentImage extends IConstruct {
  readonly containerImage: ContainerImage;

  /** Reference to pull, `registry/repository:tag` or with a digest. */
  readonly imageUri: string;
}

export interface AgentImageProps {
  /**
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * Folder with the Dockerfile. Whatever it builds must keep the host contract of this package's `docker/` folder.
   *
   * @default - the `docker/` folder of this package
   */
  readonly directory?: string;

  /**
   * Coding agents baked into the image, for example `claude-code`; the build argument `AGENTS`.
   *
   * @default - none
   */
  readonly agents?: string[];

  /**
   * Further build arguments. They can be read from the image's history, so they may hold no secrets.
   *
   * @default - none
   */
  readonly buildArgs?: Record<string, string>;
}

/** An image that `cdk deploy` builds and pushes to the account's CDK assets repository. */
export class AgentImage extends Construct implements IAgentImage {
  /**
   * Uses an image that exists. For a repository of Amazon ECR the execution role gets the right to pull from it; a
   * repository of another account must allow that too. Other registries must serve it without a login.
   */
  static fromUri(scope: Construct, id: string, imageUri: string): IAgentImage {
    return new ImportedAgentImage(scope, id, imageUri);
  }

  readonly containerImage: ContainerImage;
  readonly imageUri: string;

  constructor(scope: Construct, id: string, props: AgentImageProps = {}) {
    super(scope, id);
    const agents = props.agents ?? [];
    const asset = new DockerImageAsset(this, 'Asset', {
      directory: props.directory ?? join(packageRoot(), 'docker'),
      platform: props.architecture === CpuArchitecture.ARM64 ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
      buildArgs: { ...props.buildArgs, ...(agents.length > 0 ? { AGENTS: agents.join(' ') } : {}) },
    });
    this.containerImage = ContainerImage.fromDockerImageAsset(asset);
    this.imageUri = asset.imageUri;
  }
}

/** `<account>.dkr.ecr.<region>.amazonaws.com[.cn]/<repository>[:tag|@digest]` */
const ECR_URI =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<repository>[^:@]+)(?:[:@](?<reference>.+))?$/;

class ImportedAgentImage extends Construct implements IAgentImage {
  readonly containerImage: ContainerImage;

  constructor(
    scope: Construct,
    id: string,
    readonly imageUri: string,
  ) {
    super(scope, id);
    const parts = Token.isUnresolved(imageUri) ? undefined : ECR_URI.exec(imageUri)?.groups;
    this.containerImage = parts === undefined ? ContainerImage.fromRegistry(imageUri) : this.fromEcr(parts);
  }

  private fromEcr(parts: Record<string, string>): ContainerImage {
    const { account, region, repository = '', reference } = parts;
    const repositoryArn = Arn.format(
      {
        service: 'ecr',
        account,
        region,
        resource: 'repository',
        resourceName: repository,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      },
      Stack.of(this),
    );
    const imported = Repository.fromRepositoryAttributes(this, 'Repository', {
      repositoryArn,
      repositoryName: repository,
    });
    return ContainerImage.fromEcrRepository(imported, reference);
  }
}
