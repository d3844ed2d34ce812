/** A control names a task that isn't there. */
export class UnknownTaskError extends Error {
  override readonly name = 'UnknownTaskError';
}
