/** A control names a task that doesn't exist. */
export class UnknownTaskError extends Error {
  override readonly name = 'UnknownTaskError';
}
