import type { WireResponse } from '../wire-protocol';

/** A response of the HTTP server itself, not of a service. */
export const plainAnswer = (status: number, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});
