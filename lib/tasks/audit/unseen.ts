/** What an audit can't show, and how that can be changed. */
export interface Unseen {
  /** Completes "not shown: …". */
  readonly what: string;
  readonly hint?: string;
}
