import { MngrFargateError } from '../../contract/errors';

/** An end of a copy: a path here, or a path on a host or in a task. */
export type CopyEnd =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'remote'; readonly reference?: string; readonly path: string };

/**
 * `NAME:path` is on a host, `@NAME:path` in the container of a named target, and `:path` in that of the task that the options
 * name; anything else is here. As with scp, a slash before the colon makes it a local path, so `./a:b` names a local file. An
 * empty remote path is the folder where commands start.
 */
export function parseCopyEnd(text: string): CopyEnd {
  const colon = text.indexOf(':');
  const slash = text.indexOf('/');
  if (colon === -1 || (slash !== -1 && slash < colon)) return { kind: 'local', path: text };
  const reference = colon === 0 ? undefined : text.slice(0, colon);
  return { kind: 'remote', reference, path: text.slice(colon + 1) || '.' };
}

export interface CopyEnds {
  readonly direction: 'up' | 'down';
  /** A host or `@NAME`; undefined for the task that the options name. */
  readonly reference: string | undefined;
  readonly remote: string;
  readonly local: string;
}

/** What a copy does: up to a host or a task, or down from one. Throws `usage` when neither or both ends are there. */
export function parseCopy(source: string, destination: string): CopyEnds {
  const from = parseCopyEnd(source);
  const to = parseCopyEnd(destination);
  if (from.kind === 'local' && to.kind === 'remote') {
    return { direction: 'up', reference: to.reference, remote: to.path, local: from.path };
  }
  if (from.kind === 'remote' && to.kind === 'local') {
    return { direction: 'down', reference: from.reference, remote: from.path, local: to.path };
  }
  const both = from.kind === 'remote';
  throw new MngrFargateError(
    'usage',
    `cp needs one end on a host or in a task, and ${both ? 'both are' : 'neither is'}`,
    {
      hint: both
        ? 'copy to a folder here first'
        : 'write that end as NAME:path, @TARGET:path, or :path with --service, --family or --task',
    },
  );
}
