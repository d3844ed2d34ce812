import type { FileStatus } from '../../engine/engine-client';

export const modeText = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** A file as JSON, under the names of the documents and of the code that the API comes from. */
export function fileView(file: FileStatus) {
  const size = file.type === 'directory' ? null : file.size;
  return {
    name: file.name,
    path: file.path,
    type: file.type,
    is_dir: file.type === 'directory',
    size,
    size_bytes: size,
    mode: modeText(file.mode),
    modified_at: Math.trunc(file.modifiedAt),
    uid: file.uid,
    gid: file.gid,
    ...(file.target === undefined ? {} : { target: file.target }),
  };
}

export const writtenView = (file: FileStatus) => ({
  path: file.path,
  size: file.size,
  size_bytes: file.size,
  mode: modeText(file.mode),
});
