import { join } from 'node:path';
import { Arn, ArnFormat, Stack, Token } from 'aws-cdk-lib';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import type { ContainerDefinition, ContainerImageConfig } from 'aws-cdk-lib/aws-ecs';
import { ContainerImage, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { packageRoot } from '../../util/package-root';
import { NetworkMode } from './agent-network';

/** The image that hosts run. */
export interface IAgentImage extends IConstruct {
  readonly containerImage: ContainerImage;

  /** Reference to pull, `registry/repository:tag` or with a digest. */
  readonly imageUri: string;

  /**
   * Whether it is in a private registry of Amazon ECR, the only one that a network without internet access reaches.
   *
   * @default - it isn't known
   */
  readonly isInEcr?: boolean;
}

/** Why the image can't be pulled in a network of that mode, on one line; undefined if it can, or if that isn't known. */
export const pullProblem = (image: IAgentImage, mode: NetworkMode | undefined): string | undefined =>
  mode === NetworkMode.PRIVATE_ENDPOINTS && image.isInEcr === false
    ? `image ${image.imageUri} can't be pulled in a network with ${mode}, which reaches Amazon ECR and no other registry: copy it to a private repository of Amazon ECR, or use network ${NetworkMode.PRIVATE_NAT}`
    : undefined;

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
   * Uses an image that exists. For a repository of Amazon ECR the execution role gets permission to pull from it; a
   * repository of another account must allow that too. Other registries must serve it without a login.
   */
  static fromUri(scope: Construct, id: string, imageUri: string): IAgentImage {
    return new ImportedAgentImage(scope, id, imageUri);
  }

  /**
   * Uses an image in a repository of Amazon ECR, which the execution role may pull from.
   *
   * `tagOrDigest` defaults to `latest`.
   */
  static fromEcrRepository(scope: Construct, id: string, repository: IRepository, tagOrDigest?: string): IAgentImage {
    return new GivenAgentImage(scope, id, {
      containerImage: ContainerImage.fromEcrRepository(repository, tagOrDigest),
      imageUri: repository.repositoryUriForTagOrDigest(tagOrDigest),
      isInEcr: true,
    });
  }

  /** Uses an image that `cdk deploy` builds and pushes. It must keep the host contract of this package's `docker/` folder. */
  static fromAsset(scope: Construct, id: string, asset: DockerImageAsset): IAgentImage {
    return new GivenAgentImage(scope, id, {
      containerImage: ContainerImage.fromDockerImageAsset(asset),
      imageUri: asset.imageUri,
      isInEcr: true,
    });
  }

  readonly containerImage: ContainerImage;
  readonly imageUri: string;
  readonly isInEcr = true;

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

class GivenAgentImage extends Construct implements IAgentImage {
  readonly containerImage: ContainerImage;
  readonly imageUri: string;
  readonly isInEcr: boolean;

  constructor(
    scope: Construct,
    id: string,
    image: Required<Pick<IAgentImage, 'containerImage' | 'imageUri' | 'isInEcr'>>,
  ) {
    super(scope, id);
    this.containerImage = image.containerImage;
    this.imageUri = image.imageUri;
    this.isInEcr = image.isInEcr;
  }
}

/** A part of an address that is text, or that only the deployment knows. */
const PART = String.raw`(?:[a-z0-9-]+|\$\{Token\[[^\]]+\]\})`;
/**
 * A private registry of Amazon ECR, with its FIPS and dual-stack endpoints (AWS General Reference, "Amazon ECR endpoints"):
 * `<account>.dkr.ecr.<region>.amazonaws.com[.cn]/<repository>[:tag|@digest]`.
 */
const ECR_URI = new RegExp(
  `^(?<account>\\d{12}|\\$\\{Token\\[[^\\]]+\\]\\})\\.dkr[.-]ecr(?<fips>-fips)?\\.(?<region>${PART})\\.` +
    `(?<domain>amazonaws\\.com(?:\\.cn)?|on\\.aws|on\\.amazonwebservices\\.com\\.cn|\\$\\{Token\\[[^\\]]+\\]\\})/` +
    `(?<repository>[^:@]+)(?:[:@](?<reference>.+))?$`,
);

class ImportedAgentImage extends Construct implements IAgentImage {
  readonly containerImage: ContainerImage;
  readonly isInEcr: boolean;

  constructor(
    scope: Construct,
    id: string,
    readonly imageUri: string,
  ) {
    super(scope, id);
    const parts = ECR_URI.exec(imageUri)?.groups;
    this.isInEcr = parts !== undefined;
    if (parts !== undefined) {
      this.containerImage = this.fromEcr(parts);
      return;
    }
    if (/^\$\{Token\[/.test(imageUri)) {
      throw new Error(
        `the registry of image ${this.node.path} is known only when it is deployed, so the permission to pull it can't be granted: ` +
          'use AgentImage.fromEcrRepository or AgentImage.fromAsset, or write the registry as text',
      );
    }
    this.containerImage = ContainerImage.fromRegistry(imageUri);
  }

  private fromEcr({
    account,
    fips,
    region,
    domain,
    repository = '',
    reference,
  }: Record<string, string>): ContainerImage {
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
    const isUsual =
      fips === undefined && domain?.startsWith('amazonaws.') === true && !Token.isUnresolved(this.imageUri);
    if (isUsual) return ContainerImage.fromEcrRepository(imported, reference);
    return new EcrImageByUri(imported, this.imageUri);
  }
}

/** Pulled from exactly the address that was given, which may not be the usual endpoint. */
class EcrImageByUri extends ContainerImage {
  constructor(
    private readonly repository: IRepository,
    private readonly imageUri: string,
  ) {
    super();
  }

  override bind(_scope: Construct, container: ContainerDefinition): ContainerImageConfig {
    this.repository.grantPull(container.taskDefinition.obtainExecutionRole());
    return { imageName: this.imageUri };
  }
}
