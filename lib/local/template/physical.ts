import { createHash } from 'node:crypto';

/** Where a resource lives. */
export interface Place {
  readonly partition: 'aws';
  readonly region: string;
  readonly accountId: string;
  readonly stackName: string;
}

export interface PhysicalResource {
  /** What `Ref` gives. */
  readonly physicalId: string;
  /** What `Fn::GetAtt` gives. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

type Properties = Readonly<Record<string, unknown>>;

/** Pseudo property of a task definition: the revision that it was registered as. */
export const REVISION = 'Revision of the endpoint';

const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Hex digits that are always the same for a resource of a stack. */
export const digest = (place: Place, logicalId: string, length: number): string =>
  createHash('sha256')
    .update(`${place.accountId}/${place.region}/${place.stackName}/${logicalId}`)
    .digest('hex')
    .slice(0, length);

/** The name that CloudFormation makes up: `<stack>-<logical id>-<random>`, cut to the type's limit. */
function generatedName(place: Place, logicalId: string, limit: number): string {
  const suffix = `-${digest(place, logicalId, 12).toUpperCase()}`;
  return `${place.stackName}-${logicalId}`.slice(0, limit - suffix.length) + suffix;
}

const arn = (place: Place, service: string, resource: string): string =>
  `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;
const iamArn = (place: Place, resource: string): string => `arn:${place.partition}:iam::${place.accountId}:${resource}`;

type Maker = (place: Place, logicalId: string, properties: Properties) => PhysicalResource;

const named =
  (
    property: string,
    limit: number,
    make: (place: Place, name: string, properties: Properties) => PhysicalResource,
  ): Maker =>
  (place, logicalId, properties) =>
    make(place, string(properties[property]) ?? generatedName(place, logicalId, limit), properties);

const numbered =
  (prefix: string, attributes: (id: string, properties: Properties, place: Place) => Record<string, unknown>): Maker =>
  (place, logicalId, properties) => {
    const physicalId = `${prefix}-${digest(place, logicalId, 17)}`;
    return { physicalId, attributes: attributes(physicalId, properties, place) };
  };

const MAKERS: Readonly<Record<string, Maker>> = {
  'AWS::EC2::VPC': numbered('vpc', (id, { CidrBlock }, place) => ({
    VpcId: id,
    CidrBlock,
    DefaultSecurityGroup: `sg-${digest(place, `${id}/default`, 17)}`,
  })),
  'AWS::EC2::Subnet': numbered('subnet', (id, { AvailabilityZone, VpcId, CidrBlock }) => ({
    SubnetId: id,
    AvailabilityZone,
    VpcId,
    CidrBlock,
  })),
  'AWS::EC2::SecurityGroup': numbered('sg', (id, { VpcId }) => ({ GroupId: id, Id: id, VpcId })),
  'AWS::EC2::InternetGateway': numbered('igw', (id) => ({ InternetGatewayId: id })),
  'AWS::EC2::RouteTable': numbered('rtb', (id) => ({ RouteTableId: id })),
  'AWS::EC2::NatGateway': numbered('nat', (id) => ({ NatGatewayId: id })),
  'AWS::EC2::VPCEndpoint': numbered('vpce', (id) => ({ Id: id })),
  'AWS::ECR::Repository': named('RepositoryName', 256, (place, name) => ({
    physicalId: name,
    attributes: {
      Arn: arn(place, 'ecr', `repository/${name}`),
      RepositoryUri: `${place.accountId}.dkr.ecr.${place.region}.amazonaws.com/${name}`,
    },
  })),
  'AWS::ECS::Cluster': named('ClusterName', 255, (place, name) => ({
    physicalId: name,
    attributes: { Arn: arn(place, 'ecs', `cluster/${name}`) },
  })),
  'AWS::ECS::Service': named('ServiceName', 255, (place, name, { Cluster }) => {
    const cluster = (string(Cluster) ?? 'default').split('/').at(-1);
    const service = arn(place, 'ecs', `service/${cluster}/${name}`);
    return { physicalId: service, attributes: { Name: name, ServiceArn: service } };
  }),
  'AWS::ECS::TaskDefinition': named('Family', 255, (place, family, properties) => {
    const definition = arn(place, 'ecs', `task-definition/${family}:${String(properties[REVISION] ?? 1)}`);
    return { physicalId: definition, attributes: { TaskDefinitionArn: definition } };
  }),
  'AWS::IAM::Role': named('RoleName', 64, (place, name, { Path }) => ({
    physicalId: name,
    attributes: {
      Arn: iamArn(place, `role${string(Path) ?? '/'}${name}`),
      RoleId: `AROA${digest(place, `role/${name}`, 17).toUpperCase()}`,
    },
  })),
  'AWS::IAM::ManagedPolicy': named('ManagedPolicyName', 128, (place, name, { Path }) => {
    const policyArn = iamArn(place, `policy${string(Path) ?? '/'}${name}`);
    return { physicalId: policyArn, attributes: { PolicyArn: policyArn } };
  }),
  'AWS::Logs::LogGroup': named('LogGroupName', 512, (place, name) => ({
    physicalId: name,
    attributes: { Arn: arn(place, 'logs', `log-group:${name}:*`) },
  })),
  'AWS::Lambda::Function': named('FunctionName', 64, (place, name) => ({
    physicalId: name,
    attributes: { Arn: arn(place, 'lambda', `function:${name}`) },
  })),
  'AWS::Events::Rule': named('Name', 64, (place, name) => ({
    physicalId: name,
    attributes: { Arn: arn(place, 'events', `rule/${name}`) },
  })),
  'AWS::StepFunctions::StateMachine': named('StateMachineName', 80, (place, name) => {
    const machine = arn(place, 'states', `stateMachine:${name}`);
    return { physicalId: machine, attributes: { Arn: machine, Name: name } };
  }),
  'AWS::EFS::FileSystem': numbered('fs', (id, _, place) => ({
    FileSystemId: id,
    Arn: arn(place, 'elasticfilesystem', `file-system/${id}`),
  })),
  'AWS::EFS::AccessPoint': numbered('fsap', (id, _, place) => ({
    AccessPointId: id,
    Arn: arn(place, 'elasticfilesystem', `access-point/${id}`),
  })),
  'AWS::KMS::Key': (place, logicalId) => {
    const hex = digest(place, logicalId, 32);
    const id = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    return { physicalId: id, attributes: { Arn: arn(place, 'kms', `key/${id}`), KeyId: id } };
  },
  'AWS::SecretsManager::Secret': named('Name', 512, (place, name) => {
    const secret = arn(place, 'secretsmanager', `secret:${name}-${digest(place, `secret/${name}`, 6)}`);
    return { physicalId: secret, attributes: { Id: secret } };
  }),
  'AWS::SNS::Topic': named('TopicName', 256, (place, name) => {
    const topic = arn(place, 'sns', name);
    return { physicalId: topic, attributes: { TopicArn: topic, TopicName: name } };
  }),
};

/** Service part of a type's ARNs: `AWS::S3::Bucket` → `s3`. */
const serviceOf = (type: string): string => (type.split('::')[1] ?? 'cloudformation').toLowerCase();

/**
 * Physical id and attributes of a resource, always the same for the same stack, account and region. Types that the
 * endpoint doesn't model get a made-up name, and an ARN where an attribute asks for one.
 */
export function physicalResource(
  place: Place,
  type: string,
  logicalId: string,
  properties: Properties,
): PhysicalResource {
  const maker = MAKERS[type];
  if (maker !== undefined) return maker(place, logicalId, properties);
  const physicalId = generatedName(place, logicalId, 128);
  return { physicalId, attributes: { Arn: arn(place, serviceOf(type), physicalId) } };
}
