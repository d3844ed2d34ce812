import { chownSync, chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourcesOfType } from '../../template/stack';
import type { StackResource } from '../../template/stack';
import type { World } from '../../world';

type Properties = Readonly<Record<string, unknown>>;

/** What is mounted of a file system; without an access point, its folder `path`. */
export interface MountRequest {
  readonly fileSystemId: string;
  readonly accessPointId?: string;
  /** Default `/`. Must be there. */
  readonly path?: string;
}

/** A file system can't be mounted; the message says why as EFS's mount helper does. */
export class MountError extends Error {
  override readonly name = 'MountError';
}

/** The template's file systems of EFS, each a folder of the endpoint's state that stays until the state is deleted. */
export class FileSystems {
  constructor(
    private readonly fileSystems: ReadonlyMap<string, StackResource>,
    private readonly accessPoints: ReadonlyMap<string, StackResource>,
    /** Undefined: the endpoint keeps no state. */
    private readonly folder: string | undefined,
    private readonly region: string,
  ) {}

  /** Throws MountError if there is none with this id. */
  find(id: string): StackResource {
    const found = this.fileSystems.get(id);
    if (found !== undefined) return found;
    throw new MountError(
      `Failed to resolve "${id}.efs.${this.region}.amazonaws.com" - check that your file system ID is correct`,
    );
  }

  /** Throws MountError if the file system has none with this id. */
  accessPoint(id: string, fileSystemId: string): StackResource {
    const found = this.accessPoints.get(id);
    if (found?.properties.FileSystemId === fileSystemId) return found;
    throw new MountError(
      `mount.nfs4: access denied by server while mounting: no access point ${id} of ${fileSystemId}`,
    );
  }

  /** The folder on this machine that is mounted. Throws MountError. */
  folderOf({ fileSystemId, accessPointId, path = '/' }: MountRequest): string {
    this.find(fileSystemId);
    if (this.folder === undefined) {
      throw new MountError('this local endpoint keeps no state, so it has no place for file systems');
    }
    const root = join(this.folder, fileSystemId);
    mkdirSync(root, { recursive: true, mode: 0o755 });
    if (accessPointId === undefined) return below(root, path);
    const { RootDirectory } = this.accessPoint(accessPointId, fileSystemId).properties;
    const { Path = '/', CreationInfo } = (RootDirectory ?? {}) as Properties;
    return below(root, String(Path), CreationInfo as Properties | undefined);
  }
}

/**
 * A folder of a file system; made, with its owner and permissions, if `creation` says how. Links are not followed: what
 * a task has written there must not lead out of the file system.
 */
function below(root: string, path: string, creation?: Properties): string {
  let folder = root;
  for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
    folder = join(folder, name);
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (name === '..' || (stats !== undefined && !stats.isDirectory())) {
      throw new MountError(`mount.nfs4: mounting ${path} failed, reason given by server: Not a directory`);
    }
    if (stats !== undefined) continue;
    if (creation === undefined) {
      throw new MountError(`mount.nfs4: mounting ${path} failed, reason given by server: No such file or directory`);
    }
    make(folder, creation);
  }
  return folder;
}

function make(folder: string, { OwnerUid, OwnerGid, Permissions }: Properties): void {
  mkdirSync(folder);
  chmodSync(folder, Number.parseInt(String(Permissions), 8));
  // Only root may give folders away; who isn't root has no other users in tasks either.
  if (process.getuid?.() === 0) chownSync(folder, Number(OwnerUid), Number(OwnerGid));
}

export function fileSystems({ stack, stateDirectory, place }: World): FileSystems {
  const byId = (type: string): ReadonlyMap<string, StackResource> =>
    new Map(resourcesOfType(stack, type).map((resource) => [resource.physicalId, resource] as const));
  return new FileSystems(
    byId('AWS::EFS::FileSystem'),
    byId('AWS::EFS::AccessPoint'),
    stateDirectory === undefined ? undefined : join(stateDirectory, 'efs'),
    place.region,
  );
}
