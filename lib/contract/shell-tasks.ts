/** `startedBy` of the tasks of `shell`, by which ECS lists them. */
export const SHELL_STARTED_BY = 'mngr-fargate/shell';

/** Tags on the tasks of `shell`. */
export const SHELL_TAGS = {
  /** `USER@MACHINE` of whoever has started it. */
  owner: 'mngr-shell-owner',
  /** Seconds after its start at which its own watcher ends it, and some minutes later the reaper. */
  maxLifetime: 'mngr-shell-max-lifetime',
} as const;

/** A shell's task has a family of its own: that of the tasks that it is like, and this. */
export const SHELL_FAMILY_SUFFIX = '-shell';
