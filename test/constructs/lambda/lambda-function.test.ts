import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks } from 'cdk-nag';
import { LambdaFunction } from '../../../lib/constructs/lambda/lambda-function';
import { emptyStack } from '../../support/cdk/construct-stack';
import { statementsIn } from '../../support/assertions/policy-statements';

const withFunction = (stack: Stack) =>
  new LambdaFunction(stack, 'Probe', {
    code: 'host-probe',
    description: 'looks whether sshd answers',
    statements: [new PolicyStatement({ actions: ['ecs:DescribeClusters'], resources: ['arn:aws:ecs:::cluster/mngr'] })],
  });

describe('LambdaFunction', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-lambda-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const assetsOf = (name: string): string[] => {
    const app = new App({ outdir: join(folder, name), builtinCloudFormationValidation: false });
    withFunction(new Stack(app, 'Team'));
    app.synth();
    return readdirSync(join(folder, name))
      .filter((entry) => entry.startsWith('asset.'))
      .map((entry) => join(folder, name, entry));
  };

  it('has one bundle that runs by itself, the same at every synthesis', () => {
    const [first, second] = [assetsOf('first'), assetsOf('second')];

    expect(first).toHaveLength(1);
    expect(second.map((asset) => asset.split('/').pop())).toEqual(first.map((asset) => asset.split('/').pop()));
    const [asset = ''] = first;
    expect(readdirSync(asset)).toEqual(['index.js']);
    const load = `console.log(Object.keys(require(${JSON.stringify(join(asset, 'index.js'))})).join())`;
    expect(execFileSync(process.execPath, ['-e', load], { cwd: '/', encoding: 'utf8' }).trim()).toBe('handler');
  });

  it('says which handler is missing', () => {
    const stack = emptyStack();
    expect(() => new LambdaFunction(stack, 'None', { code: 'none', description: '' })).toThrow(
      /there is no Lambda handler "none": .*lambda\/none\/index\.ts is missing/,
    );
  });

  it('writes its own log group and may do what it was given, and nothing else', () => {
    const stack = emptyStack();
    withFunction(stack);
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::Lambda::Function', { Handler: 'index.handler', Runtime: 'nodejs24.x' });
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 14 });
    expect(statementsIn(template, 'AWS::IAM::Policy', /ProbeRole/)).toEqual([
      expect.objectContaining({ Action: ['logs:CreateLogStream', 'logs:PutLogEvents'] }),
      { Action: ['ecs:DescribeClusters'], Effect: 'Allow', Resource: 'arn:aws:ecs:::cluster/mngr' },
    ]);
    expect(new AwsSolutionsChecks(stack).validateScope(stack).violations).toEqual([]);
  });
});
