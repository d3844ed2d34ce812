import { MngrFargateError } from '../../contract/errors';

/** An end of a copy: a path here, or a path on a host. */
export type CopyEnd =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'remote'; readonly host: string; readonly path: string };

/**
 * `NAME:path` is on the host, anything else here. As with scp, a slash before the colon makes it a local path, so
 * `./a:b` names a local file. An empty remote path is the home directory.
 */
export function parseCopyEnd(text: string): CopyEnd {
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon <= 0 || (slash !== -1 && slash < colon)) return { kind: 'local', path: text };
  return { kind: 'remote', host: text.slice(0, colon), path: text.slice(colon + 1) || '.' };
}

/** What a copy does: up to a host or down from one. Throws `usage` when neither or both ends are on a host. */
export function parseCopy(
  source: string,
  destination: string,
): { readonly direction: 'up' | 'down'; readonly host: string; readonly remote: string; readonly local: string } {
  const from = parseCopyEnd(source);
  const to = parseCopyEnd(destination);
  if (from.kind === 'local' && to.kind === 'remote') {
    return { direction: 'up', host: to.host, remote: to.path, local: from.path };
  }
  if (from.kind === 'remote' && to.kind === 'local') {
    return { direction: 'down', host: from.host, remote: from.path, local: to.path };
  }
  const both = from.kind === 'remote';
  throw new MngrFargateError('usage', `cp needs one end on a host, and ${both ? 'both are' : 'neither is'}`, {
    hint: both ? 'copy to a folder here first' : 'write the end on the host as NAME:path',
  });
}
