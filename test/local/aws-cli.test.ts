import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FakeRuntime } from '../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { AWS_CLI } from '../support/run/aws-cli';
import { installPythonTool, python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';

const run = promisify(execFile);

const BOTO3 = `
import boto3, json, sys
ecs = boto3.client('ecs')
pages = ecs.get_paginator('list_tasks').paginate(cluster='mngr', PaginationConfig={'PageSize': 2})
arns = [arn for page in pages for arn in page['taskArns']]
tasks = ecs.describe_tasks(cluster='mngr', tasks=arns, include=['TAGS'])['tasks']
try:
    ecs.describe_tasks(cluster='nope', tasks=arns)
except ecs.exceptions.ClusterNotFoundException as error:
    refused = str(error)
print(json.dumps({'started': sorted(task['startedBy'] for task in tasks), 'refused': refused}))
`;

describeWith(python, 'the AWS CLI and boto3, told nothing but AWS_ENDPOINT_URL', () => {
  const home = mkdtempSync(join(tmpdir(), 'mngr-fargate-aws-cli-'));
  let local: LocalEndpoint<FakeRuntime>;
  let bin: string;

  beforeAll(async () => {
    bin = await installPythonTool(AWS_CLI);
    local = await startLocalEndpoint();
  }, 300_000);

  afterAll(async () => {
    await local.destroy();
    rmSync(home, { recursive: true });
    expect(local.faults).toEqual([]);
  });

  const python3 = async (...args: string[]): Promise<string> => {
    const env = { PATH: process.env.PATH, HOME: home, ...local.env };
    return (await run(join(bin, 'python3'), args, { env })).stdout;
  };

  const aws = async (...args: string[]): Promise<unknown> => {
    const output = await python3(join(bin, 'aws'), ...args, '--output', 'json');
    return output === '' ? undefined : JSON.parse(output);
  };

  it('run a task, wait for it, find its address and its log, and stop it', async () => {
    local.runtime.logLines = ['hello from the task'];
    expect(await aws('sts', 'get-caller-identity')).toMatchObject({ Account: '000000000000' });
    const outputs = await aws('cloudformation', 'describe-stacks', '--query', 'Stacks[0].Outputs[].OutputKey');
    expect(outputs).toContain('OperatorRoleArn');
    const network = `awsvpcConfiguration={subnets=[${local.outputs.Subnets}],assignPublicIp=ENABLED}`;
    const arn = (await aws(
      ...['ecs', 'run-task', '--cluster', 'mngr', '--task-definition', 'mngr-task', '--launch-type', 'FARGATE'],
      ...['--network-configuration', network, '--started-by', 'me', '--tags', 'key=a,value=b c'],
      ...['--query', 'tasks[0].taskArn'],
    )) as string;
    await aws('ecs', 'wait', 'tasks-running', '--cluster', 'mngr', '--tasks', arn);
    expect(await aws('ecs', 'list-tags-for-resource', '--resource-arn', arn, '--query', 'tags')).toEqual([
      { key: 'a', value: 'b c' },
    ]);
    const id = arn.split('/').at(-1) as string;
    expect(
      await aws(
        ...['ec2', 'describe-network-interfaces', '--filters', `Name=subnet-id,Values=${local.outputs.Subnets}`],
        ...['--query', 'NetworkInterfaces[].Association.PublicIp'],
      ),
    ).toEqual(['127.9.0.1']);
    const group = local.outputs.LogGroup as string;
    expect(
      await aws('logs', 'filter-log-events', '--log-group-name', group, '--query', 'events[].[logStreamName,message]'),
    ).toEqual([[`agent/agent/${id}`, 'hello from the task']]);
    const { started, refused } = JSON.parse(await python3('-c', BOTO3)) as Record<string, unknown>;
    expect({ started, refused }).toEqual({
      started: ['me'],
      refused: expect.stringContaining('Cluster not found.') as string,
    });
    await aws('ecs', 'stop-task', '--cluster', 'mngr', '--task', id);
    await aws('ecs', 'wait', 'tasks-stopped', '--cluster', 'mngr', '--tasks', arn);
  }, 300_000);

  it('look up who ended a session', async () => {
    await aws('ssm', 'terminate-session', '--session-id', 'someone-0123456789abcdef0');
    const byName = 'AttributeKey=EventName,AttributeValue=TerminateSession';
    const found = await aws('cloudtrail', 'lookup-events', '--lookup-attributes', byName);
    expect(found).toMatchObject({ Events: [{ EventSource: 'ssm.amazonaws.com', Username: 'administrator' }] });
  }, 300_000);

  it('show the errors that AWS shows', async () => {
    await expect(aws('cloudformation', 'describe-stacks', '--stack-name', 'nope')).rejects.toThrow(
      'An error occurred (ValidationError) when calling the DescribeStacks operation: Stack with id nope does not exist',
    );
    await expect(
      aws('ec2', 'describe-network-interfaces', '--network-interface-ids', 'eni-0123456789abcdef0'),
    ).rejects.toThrow('InvalidNetworkInterfaceID.NotFound');
  }, 300_000);
});
