import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, RegisterTaskDefinitionCommand, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { MountPoint, Task, Volume } from '@aws-sdk/client-ecs';
import { ProcessRuntime } from '../../../../lib/local/runtimes/process';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import { separateFileSystems } from '../../../support/endpoint/namespaces';
import { describeWith, program } from '../../../support/run/requirements';
import { eventually } from '../../../support/run/eventually';

const att = (name: string, attribute: string): object => ({ 'Fn::GetAtt': [name, attribute] });

const policy = (role: string, actions: string[]): Readonly<Record<string, unknown>> => ({
  PolicyName: `efs-${role}`,
  Roles: [{ Ref: role }],
  PolicyDocument: {
    Statement: [
      {
        Effect: 'Allow',
        Action: actions.map((action) => `elasticfilesystem:${action}`),
        Resource: att('Files', 'Arn'),
        Condition: { StringEquals: { 'elasticfilesystem:AccessPointArn': att('Point', 'Arn') } },
      },
    ],
  },
});

/** What a task does with /data, and with /scratch that it shares with its second container. */
const SCRIPT = `set -e
cat /data/kept 2>/dev/null || true
echo kept > /data/kept
until [[ -e /scratch/other ]]; do sleep 0.05; done
[[ ! -e /kept ]]`;

const RESOURCES = {
  Files: { Type: 'AWS::EFS::FileSystem', Properties: { FileSystemPolicy: { Statement: [] } } },
  OpenFiles: { Type: 'AWS::EFS::FileSystem', Properties: {} },
  Point: {
    Type: 'AWS::EFS::AccessPoint',
    Properties: {
      FileSystemId: { Ref: 'Files' },
      RootDirectory: { Path: '/a/service', CreationInfo: { OwnerUid: '1000', OwnerGid: '1000', Permissions: '0700' } },
    },
  },
  Write: { Type: 'AWS::IAM::Policy', Properties: policy('TaskRole', ['ClientMount', 'ClientWrite']) },
  ReadRole: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ecs-tasks.amazonaws.com' } }],
      },
    },
  },
  Read: { Type: 'AWS::IAM::Policy', Properties: policy('ReadRole', ['ClientMount']) },
  Keeping: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: 'keeping',
      NetworkMode: 'awsvpc',
      RequiresCompatibilities: ['FARGATE'],
      Cpu: '256',
      Memory: '512',
      TaskRoleArn: att('TaskRole', 'Arn'),
      // As CloudFormation spells them, which is not as the API does.
      Volumes: [
        {
          Name: 'data',
          EFSVolumeConfiguration: {
            FilesystemId: { Ref: 'Files' },
            TransitEncryption: 'ENABLED',
            AuthorizationConfig: { AccessPointId: { Ref: 'Point' }, IAM: 'ENABLED' },
          },
        },
        { Name: 'scratch' },
      ],
      ContainerDefinitions: [
        {
          Name: 'main',
          Image: 'images:shell',
          EntryPoint: ['/bin/bash', '-c'],
          Command: [SCRIPT],
          MountPoints: [
            { SourceVolume: 'data', ContainerPath: '/data', ReadOnly: false },
            { SourceVolume: 'scratch', ContainerPath: '/scratch', ReadOnly: false },
          ],
        },
        {
          Name: 'other',
          Image: 'images:shell',
          Essential: false,
          EntryPoint: ['/bin/bash', '-c'],
          Command: ['echo > /scratch/other; ! echo > /data/refused'],
          MountPoints: [
            { SourceVolume: 'scratch', ContainerPath: '/scratch', ReadOnly: false },
            { SourceVolume: 'data', ContainerPath: '/data', ReadOnly: true },
          ],
        },
      ],
    },
  },
};

describeWith(
  [...['sshd', 'ssh-keygen', 'openssl'].map(program), separateFileSystems],
  'volumes of containers as processes',
  () => {
    let folder: string;
    let local: LocalEndpoint<ProcessRuntime>;
    let ecs: ECSClient;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'mngr-v-'));
      const path = join(folder, 'image');
      mkdirSync(path);
      writeFileSync(join(path, 'entrypoint.sh'), '');
      const runtime = await ProcessRuntime.create({ stateDirectory: join(folder, 'state'), endpointId: 'volumes' });
      local = await startLocalEndpoint({
        runtime,
        stateDirectory: join(folder, 'state'),
        resources: RESOURCES,
        images: new Map([['shell', { type: 'folder', path }]]),
      });
      ecs = new ECSClient(local.client);
    });

    afterAll(async () => {
      ecs.destroy();
      await local.destroy();
      rmSync(folder, { recursive: true, force: true });
      expect(local.faults).toEqual([]);
    });

    const idOf = (logicalId: string): string => local.world.stack.resources.get(logicalId)?.physicalId ?? '';
    const arnOf = (logicalId: string): string => String(local.world.stack.resources.get(logicalId)?.attributes.Arn);
    const filesOf = (logicalId: string): string => join(folder, 'state', 'efs', idOf(logicalId));

    const run = async (taskDefinition: string, taskRoleArn?: string): Promise<Task> => {
      const { tasks } = await ecs.send(
        new RunTaskCommand({
          cluster: 'mngr',
          taskDefinition,
          launchType: 'FARGATE',
          overrides: { taskRoleArn },
          networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
        }),
      );
      return eventually(async () => {
        const described = await ecs.send(
          new DescribeTasksCommand({ cluster: 'mngr', tasks: [tasks?.[0]?.taskArn ?? ''] }),
        );
        expect(described.tasks?.[0]?.lastStatus).toBe('STOPPED');
        return described.tasks?.[0] as Task;
      });
    };

    const register = (volume: Volume, mountPoint: MountPoint, script: string): Promise<unknown> =>
      ecs.send(
        new RegisterTaskDefinitionCommand({
          family: 'one',
          networkMode: 'awsvpc',
          requiresCompatibilities: ['FARGATE'],
          cpu: '256',
          memory: '512',
          volumes: [volume],
          containerDefinitions: [
            {
              name: 'main',
              image: 'images:shell',
              entryPoint: ['/bin/bash', '-c'],
              command: [script],
              mountPoints: [mountPoint],
            },
          ],
        }),
      );

    it('keep what is on EFS for the next task, and what containers share only while the task lasts', async () => {
      expect((await run('keeping')).containers).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
      const point = join(filesOf('Files'), 'a', 'service');
      expect(readFileSync(join(point, 'kept'), 'utf8')).toBe('kept\n');
      expect(existsSync(join(point, 'refused'))).toBe(false);
      const { mode, uid, gid } = statSync(point);
      expect([mode & 0o777, uid, gid]).toEqual([0o700, 1000, 1000]);
      expect(readdirSync(join(folder, 'state', 'volumes'))).toEqual([]);
      expect((await run('keeping')).containers).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
      // Whose role may only mount can't write.
      expect((await run('keeping', arnOf('ReadRole'))).containers).toMatchObject([{ exitCode: 1 }, {}]);
    });

    it('are mounted where a link of the task leads, not where it would lead on the machine', async () => {
      const volume = { name: 'open', efsVolumeConfiguration: { fileSystemId: idOf('OpenFiles') } };
      // /var/run is a link to /run, which is the task's own.
      const mount = { sourceVolume: 'open', containerPath: '/var/run/of-a-test/with space' };
      await register(volume, mount, 'echo there > "/run/of-a-test/with space/file"');
      expect((await run('one')).containers).toMatchObject([{ exitCode: 0 }]);
      expect(readFileSync(join(filesOf('OpenFiles'), 'file'), 'utf8')).toBe('there\n');
      expect(existsSync('/run/of-a-test')).toBe(false);
    });

    it('stop a task that may not mount them, or that asks for what is not there', async () => {
      const denied = await run('keeping', arnOf('ExecutionRole'));
      const prefix = 'ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: ';
      expect(denied).toMatchObject({
        stopCode: 'TaskFailedToStart',
        stoppedReason: `${prefix}mount.nfs4: access denied by server while mounting 127.0.0.1:/`,
      });
      mkdirSync(filesOf('OpenFiles'), { recursive: true });
      symlinkSync('/etc', join(filesOf('OpenFiles'), 'link'));
      const reasonOf = async (volume: Volume): Promise<string | undefined> => {
        await register({ name: 'v', ...volume }, { sourceVolume: 'v', containerPath: '/v' }, 'true');
        return (await run('one')).stoppedReason;
      };
      const open = { fileSystemId: idOf('OpenFiles') };
      expect(await reasonOf({ efsVolumeConfiguration: { fileSystemId: 'fs-0' } })).toMatch(
        /Failed to resolve "fs-0\.efs\.\S+" - check that your file system ID is correct$/,
      );
      expect(await reasonOf({ efsVolumeConfiguration: { ...open, rootDirectory: '/nowhere' } })).toMatch(
        /No such file or directory$/,
      );
      for (const rootDirectory of ['/link', '/link/ssh', '/../..']) {
        expect(await reasonOf({ efsVolumeConfiguration: { ...open, rootDirectory } })).toMatch(/Not a directory$/);
      }
      expect(await reasonOf({ efsVolumeConfiguration: { fileSystemId: idOf('Files') } })).toMatch(/access denied/);
      expect(await reasonOf({ dockerVolumeConfiguration: {} })).toBe(
        "ResourceInitializationError: the local endpoint has no volumes with dockerVolumeConfiguration, so v can't be mounted",
      );
    });

    it('stop a task whose runtime cannot mount anything', async () => {
      const other = mkdtempSync(join(tmpdir(), 'mngr-v-'));
      const runtime = await ProcessRuntime.create({
        stateDirectory: other,
        endpointId: 'no-volumes',
        namespaces: 'off',
      });
      const endpoint = await startLocalEndpoint({ runtime, stateDirectory: other, resources: RESOURCES });
      const client = new ECSClient(endpoint.client);
      const { tasks } = await client.send(
        new RunTaskCommand({
          cluster: 'mngr',
          taskDefinition: 'keeping',
          launchType: 'FARGATE',
          networkConfiguration: { awsvpcConfiguration: { subnets: endpoint.outputs.Subnets?.split(',') } },
        }),
      );
      await eventually(async () => {
        const described = await client.send(
          new DescribeTasksCommand({ cluster: 'mngr', tasks: [tasks?.[0]?.taskArn ?? ''] }),
        );
        expect(described.tasks?.[0]).toMatchObject({
          lastStatus: 'STOPPED',
          stoppedReason:
            'ResourceInitializationError: failed to set up volumes: tasks run as processes without a file system of their own here (they are switched off)',
        });
      });
      client.destroy();
      await endpoint.destroy();
      rmSync(other, { recursive: true, force: true });
      expect(endpoint.faults).toEqual([]);
    });

    it('are refused at registration if the task definition is wrong about them', async () => {
      const mount = { sourceVolume: 'v', containerPath: '/v' };
      await expect(register({ name: 'w' }, mount, 'true')).rejects.toThrow("Unknown volume 'v'.");
      await expect(register({ name: '../v' }, mount, 'true')).rejects.toThrow('Volume name "../v" is invalid');
      const authorizationConfig = { accessPointId: idOf('Point') };
      const efs = { fileSystemId: idOf('Files'), authorizationConfig };
      await expect(register({ name: 'v', efsVolumeConfiguration: efs }, mount, 'true')).rejects.toThrow(
        'Transit encryption must be enabled',
      );
    });
  },
);
