/**
 * ECS is eventually consistent (ECS API, RunTask): for a moment after RunTask or a ConflictException, a task can be missing
 * from DescribeTasks and ListTasks, and StopTask doesn't find it. Only after this time is absence certain. Milliseconds.
 */
export const VISIBLE_AFTER_MS = 10_000;

/** Milliseconds between two looks for a task that isn't visible yet. */
export const VISIBLE_INTERVAL_MS = 250;
