import type { FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { SandboxErrorCode } from '../model/errors';
import type { SandboxService } from '../model/service';
import type { Caller } from '../model/types';
import type { StreamSlots } from './stream-slots';

/**
 * The API is served twice: at the root in the shapes that the documents of its ancestor promise, and below /v0 in those that
 * its code had, for the clients that were written against the code (decision 140).
 */
export type ApiShape = 'documented' | 'actual';

export const BASE_PATHS: Readonly<Record<ApiShape, string>> = { documented: '', actual: '/v0' };

/** What the handlers of all routes work with. */
export interface RouteContext {
  readonly service: SandboxService;
  readonly shape: ApiShape;
  readonly streams: StreamSlots;
  /** Origins besides the service's own whose pages may open WebSockets, for example `https://example.com`. */
  readonly allowedOrigins: readonly string[];
}

export interface RouteCall<P, Q, B> {
  /** Who calls. Of routes with `access: 'none'` nobody: they must not look. */
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Fires when the client is gone before it has its answer. */
  readonly signal: AbortSignal;
  readonly idempotencyKey: string | undefined;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AnswerSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Of answers that aren't JSON. */
  readonly contentType?: string;
}

export interface RouteSpec<P = unknown, Q = unknown, B = unknown> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  /** As in OpenAPI, for example `/sandbox/{id}`. */
  readonly path: string;
  /** Name of the operation in OpenAPI and in the audit trail. */
  readonly operation: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  /** The handler gets the query as it came, and checks it itself. */
  readonly openQuery?: boolean;
  /** Parameters for the OpenAPI document that no schema here has. */
  readonly moreParameters?: readonly object[];
  /** Of JSON. Where all of its fields may be left out, so may the body. */
  readonly body?: z.ZodType<B>;
  /** The body goes to the handler as a stream, of any type and size. */
  readonly rawBody?: boolean;
  readonly bodyLimit?: number;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  readonly errors?: readonly SandboxErrorCode[];
  /** `ticket`: a key, or a ticket in the query, which a browser can put into a URL. Default `key`. */
  readonly access?: 'key' | 'ticket' | 'none' | 'admin';
  /** Takes an `Idempotency-Key`. */
  readonly idempotent?: boolean;
  /** Is written into the audit trail. Default: all but GET and HEAD. */
  readonly audited?: boolean;
  /** Returns undefined once it has sent the answer itself. */
  readonly handle: (call: RouteCall<P, Q, B>) => Promise<Answer | undefined>;
}

/** Checks a route against its schemas, and makes it one of many. */
export const route = <P, Q, B>(spec: RouteSpec<P, Q, B>): RouteSpec => spec as unknown as RouteSpec;

export const ok = (body: unknown): Answer => ({ status: 200, body });
