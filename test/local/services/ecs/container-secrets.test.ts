import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { RegisterTaskDefinitionCommandInput, Task } from '@aws-sdk/client-ecs';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import { eventually } from '../../../support/run/eventually';

const RESOURCES = {
  Key: {
    Type: 'AWS::SecretsManager::Secret',
    Properties: { GenerateSecretString: { PasswordLength: 43, ExcludePunctuation: true } },
  },
  Login: {
    Type: 'AWS::SecretsManager::Secret',
    Properties: {
      Name: 'login',
      GenerateSecretString: { SecretStringTemplate: '{"user":"admin","port":5432}', GenerateStringKey: 'password' },
    },
  },
  Denied: { Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: 'not for this role' } },
  Empty: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
  ReadSecrets: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyName: 'secrets',
      Roles: [{ Ref: 'ExecutionRole' }],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'secretsmanager:GetSecretValue',
            Resource: [{ Ref: 'Key' }, { Ref: 'Login' }, { Ref: 'Empty' }],
          },
        ],
      },
    },
  },
};

describe('secrets of a container', () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'mngr-fargate-secrets-'));
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  const start = async (): Promise<void> => {
    local = await startLocalEndpoint({ resources: RESOURCES, stateDirectory });
    ecs = new ECSClient(local.client);
  };
  const stop = async (): Promise<void> => {
    ecs.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  };
  beforeAll(start);
  afterAll(async () => {
    await stop();
    rmSync(stateDirectory, { recursive: true });
  });

  const arnOf = (logicalId: string): string => local.world.stack.resources.get(logicalId)?.physicalId ?? '';
  const executionRole = (): string => String(local.world.stack.resources.get('ExecutionRole')?.attributes.Arn);

  const register = (
    secrets: Record<string, string>,
    change: Partial<RegisterTaskDefinitionCommandInput> = {},
    environment: Record<string, string> = {},
  ): Promise<unknown> =>
    ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'secretive',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        executionRoleArn: executionRole(),
        containerDefinitions: [
          {
            name: 'main',
            image: 'images:one',
            secrets: Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
            environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
          },
        ],
        ...change,
      }),
    );

  const run = async (secrets: Record<string, string>, status: string): Promise<Task> => {
    await register(secrets);
    const { tasks } = await ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'secretive',
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
      }),
    );
    return eventually(async () => {
      const described = await ecs.send(
        new DescribeTasksCommand({ cluster: 'mngr', tasks: [tasks?.[0]?.taskArn ?? ''] }),
      );
      expect(described.tasks?.[0]?.lastStatus).toBe(status);
      return described.tasks?.[0] as Task;
    });
  };
  const variablesOf = ({ taskArn = '' }: Task): Readonly<Record<string, string>> =>
    local.runtime.tasks.get(taskArn.split('/').at(-1) ?? '')?.spec.environment ?? {};

  it('are variables of the container that stay over restarts and show nowhere', async () => {
    const wanted = { KEY: arnOf('Key'), LOGIN: arnOf('Login'), PASSWORD: `${arnOf('Login')}:password::` };
    const first = await run({ ...wanted, PORT: `${arnOf('Login')}:port:AWSCURRENT:` }, 'RUNNING');
    const { KEY = '', LOGIN = '', PASSWORD = '', PORT } = variablesOf(first);
    expect(KEY).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(JSON.parse(LOGIN)).toEqual({ user: 'admin', port: 5432, password: PASSWORD });
    expect(PASSWORD).toHaveLength(32);
    expect(PORT).toBe('5432');
    expect(JSON.stringify(first)).not.toContain(KEY);

    await stop();
    const files = readdirSync(stateDirectory).map((name) => join(stateDirectory, name));
    const holding = files.filter((file) => readFileSync(file, 'utf8').includes(KEY));
    expect(holding.map((file) => statSync(file).mode & 0o777)).toEqual([0o600]);
    await start();
    expect(variablesOf(await run(wanted, 'RUNNING'))).toMatchObject({ KEY, LOGIN, PASSWORD });
  });

  it.each([
    [
      'that the execution role may not read',
      (): string => arnOf('Denied'),
      /AccessDeniedException: User: arn:aws:sts::000000000000:assumed-role\/\S+ is not authorized to perform: secretsmanager:GetSecretValue on resource: \S+ because no identity-based policy allows/,
    ],
    ['without a value', (): string => arnOf('Empty'), /ResourceNotFoundException: .* staging label: AWSCURRENT/],
    ['without the key', (): string => `${arnOf('Login')}:nothing::`, /did not contain json key nothing/],
    ['that are no JSON', (): string => `${arnOf('Key')}:nothing::`, /is not valid JSON, so the key nothing/],
    ['of another version', (): string => `${arnOf('Key')}::AWSPREVIOUS:`, /only the version AWSCURRENT/],
    ['of Systems Manager', (): string => '/a/parameter', /no Systems Manager parameters, so \/a\/parameter/],
  ])('stop the task before its image is pulled: those %s', async (_, valueFrom, reason) => {
    const images = local.runtime.images.length;
    const task = await run({ KEY: valueFrom() }, 'STOPPED');
    expect(task.stopCode).toBe('TaskFailedToStart');
    expect(task.stoppedReason).toMatch(
      /^ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed/,
    );
    expect(task.stoppedReason).toMatch(reason);
    expect(local.runtime.images).toHaveLength(images);
  });

  it('need an execution role, and names that no variable has', async () => {
    await expect(register({ KEY: arnOf('Key') }, { executionRoleArn: undefined })).rejects.toThrow(
      "you must also specify a value for 'executionRoleArn'",
    );
    await expect(register({ KEY: arnOf('Key') }, {}, { KEY: 'in the clear' })).rejects.toThrow(
      "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'KEY'.",
    );
  });
});
