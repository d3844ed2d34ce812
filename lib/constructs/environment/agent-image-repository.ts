import { RemovalPolicy } from 'aws-cdk-lib';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { IAgentImage } from './agent-image';

export interface AgentImageRepositoryProps {
  /** Tag of the image that hosts run. A tag names one image for ever, so another image needs another tag. */
  readonly tag: string;

  /**
   * Name of the repository.
   *
   * @default - a name by CloudFormation
   */
  readonly repositoryName?: string;

  /**
   * What becomes of the repository when it leaves the stack. `DESTROY` deletes its images too.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * A repository of Amazon ECR for the hosts' image alone. The execution role may pull from it and from no other, so that a
 * host can't run what other apps of the account have built, as it could from the CDK's asset repository.
 *
 * `cdk deploy` pushes nothing here: push the image to `imageUri`, for the first time after the deployment that makes the
 * repository. Until then no host can start.
 */
export class AgentImageRepository extends Construct implements IAgentImage {
  readonly repository: Repository;
  readonly containerImage: ContainerImage;
  readonly imageUri: string;
  readonly isInEcr = true;

  constructor(scope: Construct, id: string, props: AgentImageRepositoryProps) {
    super(scope, id);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.DESTROY;
    this.repository = new Repository(this, 'Repository', {
      repositoryName: props.repositoryName,
      imageTagMutability: TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      removalPolicy,
      emptyOnDelete: removalPolicy === RemovalPolicy.DESTROY,
    });
    this.containerImage = ContainerImage.fromEcrRepository(this.repository, props.tag);
    this.imageUri = this.repository.repositoryUriForTag(props.tag);
  }
}
