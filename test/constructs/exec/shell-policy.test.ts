import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Fn } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AgentCluster, ShellPolicy } from '../../../lib/constructs';
import type { ShellPolicyProps } from '../../../lib/constructs';
import type { TemplateResource } from '../../../lib/local/template/stack';
import { emptyStack } from '../../support/cdk/construct-stack';
import { CliHome } from '../../support/cli/cli-program';
import { execAssembly, ExecEndpoint, processTasks } from '../../support/endpoint/exec-endpoint';
import { describeWith } from '../../support/run/requirements';

function stackWith(props: Partial<ShellPolicyProps> = {}) {
  const stack = emptyStack();
  const roles = ['TaskRole', 'ExecutionRole'].map((name) =>
    Role.fromRoleArn(stack, name, Fn.getAtt(name, 'Arn').toString()),
  );
  const cluster = AgentCluster.fromClusterName(stack, 'Cluster', 'mngr');
  new ShellPolicy(stack, 'Shell', { cluster, families: ['mngr-task'], roles, ...props });
  return stack;
}

describe('ShellPolicy', () => {
  it('has no findings', () => {
    expect(new AwsSolutionsChecks(stackWith(), { verbose: true }).validateScope(stackWith()).violations).toEqual([]);
  });

  it.each([{ families: [] }, { roles: [] }])('refuses an empty list: %j', (props) => {
    expect(() => stackWith(props)).toThrow('is empty: name');
  });
});

/** The policy, for the place of a local endpoint. */
function policyOfEndpoint(): TemplateResource {
  const template = JSON.stringify(Template.fromStack(stackWith()).findResources('AWS::IAM::ManagedPolicy'));
  const here = template.replaceAll('eu-central-1', 'us-east-1').replaceAll('123456789012', '000000000000');
  return Object.values(JSON.parse(here) as Record<string, TemplateResource>)[0] as TemplateResource;
}

describeWith(processTasks, 'whoever has nothing but ShellPolicy', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let ecs: ECSClient;

  beforeAll(async () => {
    local = await ExecEndpoint.start(execAssembly({ OperatorPolicy: policyOfEndpoint() }));
    const { env, outputs } = local.endpoint.description;
    await local.createService();
    const sts = new STSClient(local.client);
    const { Credentials: keys } = await sts.send(
      new AssumeRoleCommand({ RoleArn: outputs.OperatorRoleArn, RoleSessionName: 'someone' }),
    );
    sts.destroy();
    const [accessKeyId, secretAccessKey, sessionToken] = [
      keys?.AccessKeyId ?? '',
      keys?.SecretAccessKey ?? '',
      keys?.SessionToken ?? '',
    ];
    ecs = new ECSClient({ ...local.client, credentials: { accessKeyId, secretAccessKey, sessionToken } });
    bare = new CliHome();
    home = bare.with({
      ...env,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    });
  });
  afterAll(async () => {
    ecs.destroy();
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  it('runs a command in a task like those of the family', async () => {
    const words = ['shell', '--cluster', 'mngr', '--family', 'mngr-task', '--', 'sh', '-c', 'echo here; exit 3'];
    expect(await home.run(words)).toMatchObject({ exitCode: 3, stdout: 'here\n' });
  });

  it('starts none of the family itself, and enters no other task', async () => {
    const run = new RunTaskCommand({
      cluster: 'mngr',
      taskDefinition: 'mngr-task',
      networkConfiguration: local.network,
    });
    await expect(ecs.send(run)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const { taskArn = '' } = await local.runTask();
    const { exitCode, stderr } = await home.run(['exec', '--task', taskArn, '--', 'true']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('you may not run commands in this container') as string,
    });
  });
});
