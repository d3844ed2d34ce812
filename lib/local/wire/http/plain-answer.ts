import type { WireResponse } from '../wire-protocol';

/** An answer that is no service's: of the HTTP server itself. */
export const plainAnswer = (status: number, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});
