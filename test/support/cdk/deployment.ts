import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { CdkResult } from './cdk-cli';
import { cdk } from './cdk-cli';
import type { MiniStack } from './ministack';
import { MINISTACK_ACCOUNT, MINISTACK_REGION, startMiniStack } from './ministack';

export type Outputs = Readonly<Record<string, string>>;

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly DependsOn?: string | readonly string[] }>
  >;
}

function withoutTypes(template: Template, types: readonly string[]): Template {
  const kept = Object.entries(template.Resources).filter(([, { Type }]) => !types.includes(Type));
  const names = new Set(kept.map(([name]) => name));
  const Resources = Object.fromEntries(
    kept.map(([name, resource]) => [
      name,
      { ...resource, DependsOn: [resource.DependsOn ?? []].flat().filter((other) => names.has(other)) },
    ]),
  );
  return { ...template, Resources };
}

/**
 * One stack's life through the `cdk` CLI, against a CloudFormation that none of us wrote. The image is given by its URI:
 * pushing a built one needs a registry, which MiniStack is not. Nor does it know flow logs, associations of capacity
 * providers and the reaper's saved queries, so all three are switched off here, and NAT gateways; cfn-lint judges those.
 */
export class Deployment {
  readonly cloudformation: CloudFormationClient;
  readonly ec2: EC2Client;
  readonly ecs: ECSClient;

  private constructor(
    readonly aws: MiniStack,
    readonly folder: string,
    private readonly stackName: string,
  ) {
    const configuration = {
      endpoint: aws.endpoint,
      region: MINISTACK_REGION,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    this.cloudformation = new CloudFormationClient(configuration);
    this.ec2 = new EC2Client(configuration);
    this.ecs = new ECSClient(configuration);
  }

  /** Starts MiniStack and bootstraps its account for the CDK. */
  static async start(stackName: string): Promise<Deployment> {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-deploy-'));
    const deployment = new Deployment(await startMiniStack(), folder, stackName);
    await deployment.run('bootstrap', `aws://${MINISTACK_ACCOUNT}/${MINISTACK_REGION}`, ...deployment.context({}));
    return deployment;
  }

  /** The flags of `cdk` for settings of the context. */
  context(settings: Readonly<Record<string, string>>): string[] {
    return Object.entries({
      account: MINISTACK_ACCOUNT,
      region: MINISTACK_REGION,
      image: 'registry.example.com/mngr/agent:1',
      flowLogs: 'false',
      spot: 'false',
      reaper: 'false',
      ...settings,
    }).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  }

  /** Deploys the stack, or updates it. */
  deploy(settings: Readonly<Record<string, string>>): Promise<Outputs> {
    return this.deployed(...this.context(settings));
  }

  /** Deploys or updates the stack from a copy of an assembly, without the resources of types that MiniStack doesn't know. */
  async deployAssembly(assembly: string, unknownTypes: readonly string[]): Promise<Outputs> {
    const copy = join(this.folder, 'cdk.out');
    await rm(copy, { recursive: true, force: true });
    await cp(assembly, copy, { recursive: true });
    const file = join(copy, `${this.stackName}.template.json`);
    const template = JSON.parse(await readFile(file, 'utf8')) as Template;
    await writeFile(file, JSON.stringify(withoutTypes(template, unknownTypes)));
    return this.deployed('--app', copy);
  }

  private async deployed(...words: string[]): Promise<Outputs> {
    const file = join(this.folder, 'outputs.json');
    await this.run('deploy', ...words, '--require-approval', 'never', '--outputs-file', file);
    const outputs = JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>;
    return outputs[this.stackName] as Outputs;
  }

  /** Physical ids of the stack's resources, by logical id. */
  async resources(): Promise<ReadonlyMap<string, { readonly type: string; readonly id: string }>> {
    const command = new DescribeStackResourcesCommand({ StackName: this.stackName });
    const { StackResources = [] } = await this.cloudformation.send(command);
    return new Map(
      StackResources.map(({ LogicalResourceId = '', ResourceType: type = '', PhysicalResourceId: id = '' }) => [
        LogicalResourceId,
        { type, id },
      ]),
    );
  }

  destroy(): Promise<CdkResult> {
    return cdk(['destroy', '--force', '--app', join(this.folder, 'cdk.out')], this.aws.environment);
  }

  async stop(): Promise<void> {
    for (const client of [this.cloudformation, this.ec2, this.ecs]) client.destroy();
    await this.aws.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(...args: string[]): Promise<void> {
    const { exitCode, output } = await cdk([...args, '--output', join(this.folder, 'cdk.out')], this.aws.environment);
    if (exitCode !== 0) throw new Error(`cdk ${args.join(' ')} ended with ${exitCode}:\n${output}`);
  }
}
