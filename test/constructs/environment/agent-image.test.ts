import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Aws, CfnParameter, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { AgentImageProps } from '../../../lib/constructs';
import { AgentImage, AgentImageRepository, AgentTaskDefinition } from '../../../lib/constructs';
import { emptyStack } from '../../support/cdk/construct-stack';
import { ENV } from '../../support/cdk/stack-variants';

interface DockerImage {
  readonly source: { directory: string; dockerBuildArgs?: Record<string, string>; platform?: string };
}

describe('AgentImageRepository', () => {
  it('is the only repository that hosts may pull from, and a tag in it stays what it is', () => {
    const stack = emptyStack();
    const image = new AgentImageRepository(stack, 'Image', { repositoryName: 'mngr/agents', tag: '1' });
    new AgentTaskDefinition(stack, 'Task', { image });
    const template = Template.fromStack(stack);

    template.hasResource('AWS::ECR::Repository', {
      Properties: { RepositoryName: 'mngr/agents', ImageTagMutability: 'IMMUTABLE', EmptyOnDelete: true },
      DeletionPolicy: 'Delete',
    });
    const [repository] = Object.keys(template.findResources('AWS::ECR::Repository'));
    const pulls = Object.values(template.findResources('AWS::IAM::Policy'))
      .flatMap(
        ({ Properties }) => (Properties as { PolicyDocument: { Statement: unknown[] } }).PolicyDocument.Statement,
      )
      .filter((statement) => JSON.stringify(statement).includes('ecr:BatchGetImage'));
    expect(pulls).toMatchObject([{ Effect: 'Allow', Resource: { 'Fn::GetAtt': [repository, 'Arn'] } }]);
    expect(JSON.stringify(stack.resolve(image.imageUri))).toContain(':1');
  });

  it('can be kept, with its images, when it leaves the stack', () => {
    const stack = emptyStack();
    new AgentImageRepository(stack, 'Image', { tag: '1', removalPolicy: RemovalPolicy.RETAIN });
    Template.fromStack(stack).hasResource('AWS::ECR::Repository', {
      Properties: { EmptyOnDelete: false },
      DeletionPolicy: 'Retain',
    });
  });
});

describe('AgentImage', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-image-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** What `cdk deploy` would build. */
  const built = (props: AgentImageProps): DockerImage['source'] => {
    const app = new App({ outdir: join(folder, 'cdk.out'), builtinCloudFormationValidation: false });
    new AgentImage(new Stack(app, 'Stack', { env: ENV }), 'Image', props);
    const { directory } = app.synth();
    const assets = JSON.parse(readFileSync(join(directory, 'Stack.assets.json'), 'utf8')) as {
      dockerImages: Record<string, DockerImage>;
    };
    const [image] = Object.values(assets.dockerImages);
    return (image as DockerImage).source;
  };

  it("is built from this package's docker folder, for x86-64", () => {
    expect(built({})).toMatchObject({ platform: 'linux/amd64' });
  });

  it('has coding agents baked in by a build argument, and takes others', () => {
    const source = built({ agents: ['claude-code', 'codex@0.1.0'], buildArgs: { BASE: 'debian:trixie-slim' } });

    expect(source.dockerBuildArgs).toEqual({ AGENTS: 'claude-code codex@0.1.0', BASE: 'debian:trixie-slim' });
  });

  it('is built for ARM when asked, from any folder', () => {
    const directory = join(folder, 'own');
    writeOwnDockerfile(directory);

    expect(built({ architecture: CpuArchitecture.ARM64, directory })).toMatchObject({ platform: 'linux/arm64' });
  });

  const pullStatements = (uri: string): unknown[] => {
    const stack = emptyStack();
    new AgentTaskDefinition(stack, 'Task', { image: AgentImage.fromUri(stack, 'Image', uri) });
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy')) as {
      Properties: { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } };
    }[];
    return policies
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => JSON.stringify(Action).includes('ecr:'));
  };

  it.each([
    ['a FIPS endpoint', () => '210987654321.dkr.ecr-fips.us-east-1.amazonaws.com/team/agent:7'],
    ['a dual-stack endpoint', () => '210987654321.dkr-ecr.eu-west-1.on.aws/team/agent:7'],
    ['its own account and region', () => `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}/team/agent:7`],
    [
      'a FIPS endpoint of its own region',
      () => `${Aws.ACCOUNT_ID}.dkr.ecr-fips.${Aws.REGION}.amazonaws.com/team/agent`,
    ],
  ])('of Amazon ECR may be pulled from %s', (_, uri) => {
    expect(pullStatements(uri())).toContainEqual(
      expect.objectContaining({ Action: expect.arrayContaining(['ecr:BatchGetImage']) as unknown }),
    );
  });

  it('keeps the endpoint that was given', () => {
    const stack = emptyStack();
    const uri = '210987654321.dkr.ecr-fips.us-east-1.amazonaws.com/team/agent:7';
    new AgentTaskDefinition(stack, 'Task', { image: AgentImage.fromUri(stack, 'Image', uri) });
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [Match.objectLike({ Image: uri })],
    });
  });

  it('is refused if its registry is only known at deployment', () => {
    const stack = emptyStack();
    const uri = new CfnParameter(stack, 'Parameter').valueAsString;
    expect(() => AgentImage.fromUri(stack, 'Image', uri)).toThrow(/Team\/Image .*use AgentImage.fromEcrRepository/);
    expect(() => AgentImage.fromUri(stack, 'Tagged', `ghcr.io/team/agent:${uri}`)).not.toThrow();
  });

  it('is taken from a repository or an asset of one’s own, with the right to pull it', () => {
    const stack = emptyStack();
    const repository = new Repository(stack, 'Repository');
    const directory = join(folder, 'own');
    writeOwnDockerfile(directory);
    const asset = new DockerImageAsset(stack, 'Asset', { directory });
    const images = [
      AgentImage.fromEcrRepository(stack, 'Image', repository, 'v1'),
      AgentImage.fromAsset(stack, 'Built', asset),
    ];
    images.forEach((image, index) => new AgentTaskDefinition(stack, `Task${index}`, { image, family: `f${index}` }));
    const policies = JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    expect(policies.match(/ecr:BatchGetImage/g)).toHaveLength(2);
    expect(images.map(({ isInEcr }) => isInEcr)).toEqual([true, true]);
  });

  it('of Amazon ECR may be pulled from that repository alone', () => {
    expect(pullStatements('210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/agent:7')).toEqual([
      expect.objectContaining({
        Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Resource: 'arn:aws:ecr:eu-west-1:210987654321:repository/team/agent',
      }),
      expect.objectContaining({ Action: 'ecr:GetAuthorizationToken', Resource: '*' }),
    ]);
  });

  it('of another registry needs no permission', () => {
    expect(pullStatements('docker.example.com/team/agent:7')).toEqual([]);
  });

  it.each([
    ['210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/agent:7', ':7'],
    ['210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/agent@sha256:abc', '@sha256:abc'],
    ['210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/agent', ':latest'],
    ['docker.example.com/team/agent:7', ':7'],
  ])('given as %s is what the task definition names', (uri, ending) => {
    const stack = emptyStack();
    new AgentTaskDefinition(stack, 'Task', { image: AgentImage.fromUri(stack, 'Image', uri) });
    const [definition] = Object.values(Template.fromStack(stack).findResources('AWS::ECS::TaskDefinition')) as {
      Properties: { ContainerDefinitions: { Image: unknown }[] };
    }[];
    const image = JSON.stringify(definition?.Properties.ContainerDefinitions[0]?.Image);

    expect(image).toContain(uri.split(/[:@]/)[0]?.split('/').slice(1).join('/'));
    expect(image).toContain(ending);
  });
});

function writeOwnDockerfile(directory: string): void {
  mkdirSync(directory);
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n');
}
