import type * as z from 'zod';
import { SANDBOX_ERRORS } from '../model/errors';
import type { SandboxErrorCode } from '../model/errors';
import { SECRET_HEADER } from './authentication';
import { BASE_PATHS } from './route';
import type { AnswerSpec, ApiShape, RouteSpec } from './route';
import { jsonSchemaOf } from './schemas/documented';
import { errorBody } from './schemas/error';

type Json = Record<string, unknown>;

const SERVERS: Readonly<Record<ApiShape, string>> = {
  documented: 'the API as documented',
  actual:
    'the same routes, with the answers that the clients of ecs-sandbox read: history is an array, a running event is 200, ' +
    'a written file is 200, destroy is {"status":"destroyed"} also for unknown sandboxes. Its own document is /v0/openapi.json',
};

/** Any key-bearing route can answer these. */
const COMMON_ERRORS: readonly SandboxErrorCode[] = ['unauthorized', 'rate_limited', 'internal', 'shutting_down'];

/** The OpenAPI 3.1 document of the routes: their schemas are those that check the requests. */
export function openApiDocument(routes: readonly RouteSpec[], shape: ApiShape): Json {
  const schemas = new Map<string, Json>();
  const paths: Record<string, Json> = {};
  for (const spec of routes) {
    const path = spec.path.replaceAll('*}', '}');
    (paths[path] ??= {})[spec.method.toLowerCase()] = operation(spec, schemas);
  }
  const shapes: readonly ApiShape[] = shape === 'documented' ? ['documented', 'actual'] : ['actual'];
  return {
    openapi: '3.1.0',
    info: {
      title: 'mngr-fargate sandboxes',
      version: '1',
      description: 'Sandboxes in which agents run code: one Fargate task each. All times are Unix milliseconds.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: shapes.map((name) => ({ url: BASE_PATHS[name] || '/', description: SERVERS[name] })),
    security: [{ key: [] }, { bearer: [] }],
    tags: ['sessions', 'exec', 'files', 'git', 'ports', 'keys', 'service'].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'X-Sandbox-Secret' },
        bearer: { type: 'http', scheme: 'bearer', description: `the same key as in ${SECRET_HEADER}` },
        ticket: { type: 'apiKey', in: 'query', name: 'ticket', description: 'of POST /sandbox/{id}/tickets' },
      },
    },
    'x-error-codes': Object.fromEntries(
      Object.entries(SANDBOX_ERRORS).map(([code, { status, suggestion }]) => [code, { status, suggestion }]),
    ),
  };
}

function operation(spec: RouteSpec, schemas: Map<string, Json>): Json {
  const security = securityOf(spec);
  return {
    operationId: spec.operation,
    tags: [spec.tag],
    summary: spec.summary,
    ...(security === undefined ? {} : { security }),
    ...listed('parameters', [
      ...pathParameters(spec, schemas),
      ...queryParameters(spec, schemas),
      ...(spec.moreParameters ?? []),
      ...(spec.idempotent === true ? [IDEMPOTENCY_KEY] : []),
    ]),
    ...requestBody(spec, schemas),
    responses: responses(spec, schemas),
  };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'the same key and request within 24 h answer the same, and do nothing again',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function securityOf({ access }: RouteSpec): Json[] | undefined {
  if (access === 'none') return [];
  return access === 'ticket' ? [{ key: [] }, { bearer: [] }, { ticket: [] }] : undefined;
}

const listed = (name: string, items: readonly object[]): Json => (items.length === 0 ? {} : { [name]: items });

function pathParameters(spec: RouteSpec, schemas: Map<string, Json>): Json[] {
  const known = propertiesOf(spec.params, schemas);
  return [...spec.path.matchAll(/\{(\w+)(\*?)\}/g)].map(([, name = '', star]) => ({
    name,
    in: 'path',
    required: true,
    ...(star === '*' ? { description: 'all of the rest, with its slashes' } : {}),
    schema: known.properties[star === '*' ? '*' : name] ?? { type: 'string' },
  }));
}

function queryParameters(spec: RouteSpec, schemas: Map<string, Json>): Json[] {
  const { properties, required } = propertiesOf(spec.query, schemas);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    ...(required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function propertiesOf(schema: z.ZodType | undefined, schemas: Map<string, Json>) {
  const found = schema === undefined ? {} : jsonSchemaOf(schema, 'input', schemas);
  return {
    properties: (found.properties ?? {}) as Record<string, Json>,
    required: (found.required ?? []) as string[],
  };
}

function requestBody(spec: RouteSpec, schemas: Map<string, Json>): Json {
  if (spec.rawBody === true && !['GET', 'HEAD', 'OPTIONS'].includes(spec.method)) {
    return { requestBody: { content: { '*/*': { schema: {} } } } };
  }
  if (spec.body === undefined) return {};
  const schema = jsonSchemaOf(spec.body, 'input', schemas);
  const required = !spec.body.safeParse({}).success;
  return { requestBody: { required, content: { 'application/json': { schema } } } };
}

function responses(spec: RouteSpec, schemas: Map<string, Json>): Json {
  const answers = Object.entries(spec.answers).map(([status, answer]) => [status, response(answer, schemas)] as const);
  const errors = new Map<number, SandboxErrorCode[]>();
  const takesInput = [spec.params, spec.query, spec.body].some((schema) => schema !== undefined);
  for (const code of new Set<SandboxErrorCode>([
    ...(takesInput ? (['bad_request'] as const) : []),
    ...(spec.access === 'none' ? [] : COMMON_ERRORS),
    ...(spec.errors ?? []),
  ])) {
    const { status } = SANDBOX_ERRORS[code];
    errors.set(status, [...(errors.get(status) ?? []), code]);
  }
  const schema = jsonSchemaOf(errorBody, 'output', schemas);
  for (const [status, codes] of errors) {
    if (spec.answers[status] !== undefined) continue;
    answers.push([String(status), { description: codes.join(', '), content: { 'application/json': { schema } } }]);
  }
  return Object.fromEntries(answers);
}

function response({ description, schema, contentType }: AnswerSpec, schemas: Map<string, Json>): Json {
  if (schema !== undefined) {
    return { description, content: { 'application/json': { schema: jsonSchemaOf(schema, 'output', schemas) } } };
  }
  return contentType === undefined ? { description } : { description, content: { [contentType]: { schema: {} } } };
}
