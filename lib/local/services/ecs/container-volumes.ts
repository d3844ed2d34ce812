import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerDefinition, EFSVolumeConfiguration, TaskDefinition, Volume } from '@aws-sdk/client-ecs';
import type { TaskMount } from '../../runtimes/runtime';
import type { World } from '../../world';
import { fileSystems, MountError } from '../efs/file-systems';
import { resourceFailure } from './start-failure';
import type { TaskRecord } from './task-record';
import { taskDefinitions } from './task-definitions';

/** ECS API, Volume.name. */
export const VOLUME_NAME = /^[A-Za-z0-9_-]{1,255}$/;

/** Kinds of volumes that the endpoint doesn't have. */
const UNKNOWN_KINDS = [
  'dockerVolumeConfiguration',
  'fsxWindowsFileServerVolumeConfiguration',
  's3filesVolumeConfiguration',
] as const;

/**
 * The folders that a container sees: volumes of EFS, as the task's role may use them, and empty ones that the task's
 * containers share while it lasts. Makes those that aren't there yet. Throws StartFailure with ECS's reason for one that
 * can't be had.
 */
export function containerMounts(world: World, record: TaskRecord, container: ContainerDefinition): TaskMount[] {
  if ((container.volumesFrom ?? []).length > 0) {
    throw resourceFailure(`the local endpoint can't mount the volumes of another container (${container.name})`);
  }
  const points = container.mountPoints ?? [];
  const { cannotMount } = world.runtime;
  if (points.length > 0 && cannotMount !== undefined) {
    throw resourceFailure(`failed to set up volumes: ${cannotMount}`);
  }
  const definition = world.part(taskDefinitions).find(record.task.taskDefinitionArn ?? '')?.definition;
  return points.map(({ sourceVolume = '', containerPath = '', readOnly }) => {
    const volume = definition?.volumes?.find(({ name }) => name === sourceVolume);
    if (volume === undefined) throw resourceFailure(`the task definition has no volume ${sourceVolume}`);
    if (!containerPath.startsWith('/')) {
      throw resourceFailure(`the path ${containerPath} of the volume ${sourceVolume} must begin with /`);
    }
    const { source, writable } = sourceOf(world, record, definition, volume);
    return { source, target: containerPath, readOnly: readOnly === true || !writable };
  });
}

/** Removes what only lasts as long as the task. */
export async function removeTaskVolumes({ stateDirectory }: World, { id }: TaskRecord): Promise<void> {
  if (stateDirectory !== undefined) await rm(taskFolder(stateDirectory, id), { recursive: true, force: true });
}

const taskFolder = (stateDirectory: string, id: string): string => join(stateDirectory, 'volumes', id);

interface Source {
  readonly source: string;
  readonly writable: boolean;
}

function sourceOf(world: World, record: TaskRecord, definition: TaskDefinition | undefined, volume: Volume): Source {
  const { name = '', efsVolumeConfiguration, host, configuredAtLaunch } = volume;
  const unknown = UNKNOWN_KINDS.find((kind) => kind in volume && volume[kind as keyof Volume] !== undefined);
  if (unknown !== undefined || configuredAtLaunch === true || host?.sourcePath !== undefined) {
    const kind = unknown ?? (configuredAtLaunch === true ? 'configuredAtLaunch' : 'host.sourcePath');
    throw resourceFailure(`the local endpoint has no volumes with ${kind}, so ${name} can't be mounted`);
  }
  if (efsVolumeConfiguration !== undefined) {
    const role = record.task.overrides?.taskRoleArn ?? definition?.taskRoleArn;
    return efsSource(world, role, efsVolumeConfiguration);
  }
  if (world.stateDirectory === undefined) {
    throw resourceFailure(`this local endpoint keeps no state, so it has no place for the volume ${name}`);
  }
  if (!VOLUME_NAME.test(name)) throw resourceFailure(`the volume's name ${name} is invalid`);
  const source = join(taskFolder(world.stateDirectory, record.id), name);
  mkdirSync(source, { recursive: true, mode: 0o755 });
  return { source, writable: true };
}

function efsSource(world: World, role: string | undefined, volume: EFSVolumeConfiguration): Source {
  const { fileSystemId = '', rootDirectory, authorizationConfig } = volume;
  const accessPointId = authorizationConfig?.accessPointId;
  const known = world.part(fileSystems);
  try {
    const fileSystem = known.find(fileSystemId);
    const accessPoint = accessPointId === undefined ? undefined : known.accessPoint(accessPointId, fileSystemId);
    const allows = (action: string): boolean => {
      // Without a policy of its own, a file system lets in whoever reaches it.
      if (authorizationConfig?.iam !== 'ENABLED') return fileSystem.properties.FileSystemPolicy === undefined;
      return (
        role !== undefined &&
        world.iam.roleAllows(role, {
          action: `elasticfilesystem:${action}`,
          resource: String(fileSystem.attributes.Arn),
          context: {
            'elasticfilesystem:AccessedViaMountTarget': 'true',
            'aws:SecureTransport': String(volume.transitEncryption === 'ENABLED'),
            ...(accessPoint === undefined
              ? {}
              : { 'elasticfilesystem:AccessPointArn': String(accessPoint.attributes.Arn) }),
          },
        })
      );
    };
    if (!allows('ClientMount')) {
      throw new MountError('mount.nfs4: access denied by server while mounting 127.0.0.1:/');
    }
    return {
      source: known.folderOf({ fileSystemId, accessPointId, path: rootDirectory }),
      writable: allows('ClientWrite'),
    };
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    throw resourceFailure(`failed to invoke EFS utils commands to set up EFS volumes: stderr: ${error.message}`);
  }
}
