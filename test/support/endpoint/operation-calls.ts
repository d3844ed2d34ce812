import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as cloudformation from '@aws-sdk/client-cloudformation';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import * as ssm from '@aws-sdk/client-ssm';
import * as sts from '@aws-sdk/client-sts';
import type { ClientSettings } from './local-endpoint';

/** Names of what a stack has, for calls that are to find it. */
export interface Existing {
  readonly cluster: string;
  readonly taskArn: string;
  readonly taskDefinition: string;
  readonly subnet: string;
  readonly logGroup: string;
  readonly stackName: string;
  readonly roleArn: string;
}

interface ServiceCalls {
  /** Package and exports of the service's client. */
  readonly packageName: string;
  readonly sdk: object;
  /** An input for each operation that is served: valid, and naming what `existing` has. */
  readonly inputs: (existing: Existing) => Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A valid call of every operation that the endpoint serves, by the services' signing names. */
export const OPERATION_CALLS: Readonly<Record<string, ServiceCalls>> = {
  ecs: {
    packageName: '@aws-sdk/client-ecs',
    sdk: ecs,
    inputs: ({ cluster, taskArn, taskDefinition, subnet }) => ({
      RunTask: {
        cluster,
        taskDefinition,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: [subnet] } },
        tags: [{ key: 'a', value: 'b' }],
      },
      StopTask: { cluster, task: taskArn },
      DescribeTasks: { cluster, tasks: [taskArn] },
      ListTasks: { cluster },
      CreateCluster: { clusterName: cluster, tags: [{ key: 'a', value: 'b' }] },
      DeleteCluster: { cluster },
      DescribeClusters: { clusters: [cluster] },
      ListClusters: {},
      CreateService: {
        cluster,
        serviceName: 'service',
        taskDefinition,
        desiredCount: 0,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: [subnet] } },
        tags: [{ key: 'a', value: 'b' }],
      },
      UpdateService: { cluster, service: 'service', desiredCount: 0 },
      DescribeServices: { cluster, services: ['service'] },
      ListServices: { cluster },
      DeleteService: { cluster, service: 'service' },
      RegisterTaskDefinition: {
        family: 'another',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [{ name: 'agent', image: 'image' }],
      },
      DeregisterTaskDefinition: { taskDefinition },
      DescribeTaskDefinition: { taskDefinition },
      ListTaskDefinitions: {},
      ListTaskDefinitionFamilies: {},
      TagResource: { resourceArn: taskArn, tags: [{ key: 'a', value: 'b' }] },
      UntagResource: { resourceArn: taskArn, tagKeys: ['a'] },
      ListTagsForResource: { resourceArn: taskArn },
      ExecuteCommand: { cluster, task: taskArn, command: 'sh', interactive: true },
    }),
  },
  ec2: {
    packageName: '@aws-sdk/client-ec2',
    sdk: ec2,
    inputs: ({ subnet }) => ({
      DescribeNetworkInterfaces: {},
      DescribeSubnets: { SubnetIds: [subnet] },
      DescribeVpcs: {},
      DescribeSecurityGroups: {},
      DescribeRouteTables: {},
      DescribeVpcEndpoints: {},
    }),
  },
  kms: {
    packageName: '@aws-sdk/client-kms',
    sdk: kms,
    inputs: () => ({
      GenerateDataKey: { KeyId: 'alias/sessions', NumberOfBytes: 64, EncryptionContext: { a: 'b' } },
      Decrypt: { CiphertextBlob: Buffer.from('no ciphertext'), EncryptionContext: { a: 'b' } },
      DescribeKey: { KeyId: 'alias/sessions' },
    }),
  },
  ssm: {
    packageName: '@aws-sdk/client-ssm',
    sdk: ssm,
    inputs: ({ cluster, taskArn }) => ({
      StartSession: {
        Target: `ecs:${cluster}_${String(taskArn).split('/').at(-1)}_0123-456`,
        DocumentName: 'AWS-StartSSHSession',
      },
      DescribeSessions: { State: 'Active' },
      ResumeSession: { SessionId: 'ecs-execute-command-0123456789abcdef0' },
      TerminateSession: { SessionId: 'ecs-execute-command-0123456789abcdef0' },
    }),
  },
  sts: {
    packageName: '@aws-sdk/client-sts',
    sdk: sts,
    inputs: ({ roleArn }) => ({
      GetCallerIdentity: {},
      AssumeRole: { RoleArn: roleArn, RoleSessionName: 'session' },
    }),
  },
  iam: {
    packageName: '@aws-sdk/client-iam',
    sdk: iam,
    inputs: ({ roleArn }) => ({
      SimulatePrincipalPolicy: {
        PolicySourceArn: roleArn,
        ActionNames: ['ecs:RunTask'],
        ContextEntries: [{ ContextKeyName: 'a:b', ContextKeyType: 'string', ContextKeyValues: ['c'] }],
      },
    }),
  },
  cloudtrail: {
    packageName: '@aws-sdk/client-cloudtrail',
    sdk: cloudtrail,
    inputs: () => ({
      LookupEvents: {
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'ExecuteCommand' }],
        StartTime: new Date(0),
        EndTime: new Date(),
        MaxResults: 10,
      },
    }),
  },
  cloudformation: {
    packageName: '@aws-sdk/client-cloudformation',
    sdk: cloudformation,
    inputs: ({ stackName }) => ({
      DescribeStacks: { StackName: stackName },
      ListStacks: {},
      DescribeStackResources: { StackName: stackName },
    }),
  },
  logs: {
    packageName: '@aws-sdk/client-cloudwatch-logs',
    sdk: logs,
    inputs: ({ logGroup }) => ({
      DescribeLogGroups: {},
      DescribeLogStreams: { logGroupName: logGroup },
      GetLogEvents: { logGroupName: logGroup, logStreamName: 'stream' },
      FilterLogEvents: { logGroupName: logGroup },
    }),
  },
};

export interface Answer {
  /** Undefined when the call succeeded. */
  readonly code: string | undefined;
  readonly message: string;
}

type Command = new (input: object) => object;
type Client = new (settings: object) => { send(command: object): Promise<object>; destroy(): void };

/** Sends calls of a service with its own client, without retries, and gives the errors that they end with. */
export function callerOf(service: string, settings: ClientSettings) {
  const { sdk } = OPERATION_CALLS[service] as ServiceCalls;
  const exported = sdk as Readonly<Record<string, unknown>>;
  const clientName = Object.keys(exported).find((name) => /^[A-Z]\w+Client$/.test(name) && name !== '__Client') ?? '';
  const client = new (exported[clientName] as Client)({ ...settings, maxAttempts: 1 });
  const call = async (operation: string, input: object): Promise<Answer> => {
    try {
      await client.send(new (exported[`${operation}Command`] as Command)(input));
      return { code: undefined, message: '' };
    } catch (error) {
      const { name, message, Code } = error as Error & { readonly Code?: string };
      return { code: Code ?? name, message };
    }
  };
  return { call, close: () => client.destroy() };
}

/** Names of the errors that the model of an operation has, from the types of its SDK client. */
export function modelledErrors(service: string, operation: string): readonly string[] {
  const { packageName } = OPERATION_CALLS[service] as ServiceCalls;
  const manifest = createRequire(__filename).resolve(`${packageName}/package.json`);
  const types = join(dirname(manifest), 'dist-types', 'commands', `${operation}Command.d.ts`);
  const names = [...readFileSync(types, 'utf8').matchAll(/@throws \{@link (\w+)\} \((?:client|server) fault\)/g)];
  return names.map(([, name = '']) => name);
}
