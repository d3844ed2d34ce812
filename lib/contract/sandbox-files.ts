/** A file, as the sandbox's user sees it. `mode` has the permission bits alone. Times are Unix milliseconds. */
export interface FileStatus {
  readonly name: string;
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly modifiedAt: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a link points; absent on others. */
  readonly target?: string;
}

export type WatchChange = { readonly type: 'created' | 'changed' | 'removed'; readonly path: string };

export interface SearchMatch {
  readonly path: string;
  /** Line number from 1 and the line, for a search by content. */
  readonly line?: number;
  readonly text?: string;
}
