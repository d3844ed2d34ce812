import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';
import { allRoutes } from '../../../lib/sandbox/http/routes';
import type { RouteContext } from '../../../lib/sandbox/http/route';
import { SANDBOX_ERRORS } from '../../../lib/sandbox/model/errors';
import type { ApiAnswer, ApiClient } from '../../support/sandbox/api-client';
import { startTestServer } from '../../support/sandbox/http-server';
import type { TestServer } from '../../support/sandbox/http-server';

/* eslint-disable @typescript-eslint/no-explicit-any */
/** Ajv in the version that Fastify has, for JSON Schema 2020-12. */
const { default: Ajv2020 } = createRequire(require.resolve('@fastify/ajv-compiler'))('ajv/dist/2020') as any;

let server: TestServer;
let api: ApiClient;
let document: any;
let actual: any;

beforeAll(async () => {
  server = await startTestServer();
  api = await server.admin.newKey(`openapi-${randomUUID().slice(0, 8)}`, { admin: true });
  document = (await api.get('/openapi.json')).json;
  actual = (await api.get('/v0/openapi.json')).json;
});
afterAll(() => server.close());

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

/** Throws what in an answer isn't as the document says. */
function check(from: any, method: string, path: string, answer: ApiAnswer): void {
  const spec = from.paths[path][method.toLowerCase()].responses[answer.status];
  if (spec === undefined) throw new Error(`${method} ${path}: ${answer.status} is not in the document: ${answer.text}`);
  const schema = spec.content?.['application/json']?.schema;
  if (schema === undefined) return;
  const ajv = new Ajv2020({ strict: false });
  const valid = ajv.compile({ ...schema, components: from.components });
  if (!valid(answer.json)) throw new Error(`${method} ${path}: ${ajv.errorsText(valid.errors)} in ${answer.text}`);
}

describe('the OpenAPI document', () => {
  test('has every route, and a name for each', () => {
    const context = { service: undefined, shape: 'documented', streams: undefined, allowedOrigins: [] };
    const routes = allRoutes(context as unknown as RouteContext);
    for (const { method, path } of routes) {
      expect(document.paths[path.replace('*}', '}')]).toHaveProperty(method.toLowerCase());
    }
    const operations = Object.values<any>(document.paths).flatMap((item) =>
      METHODS.flatMap((method) => item[method] ?? []),
    );
    expect(operations).toHaveLength(routes.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary, tags, responses } of operations) {
      expect(summary).toEqual(expect.any(String));
      expect(document.tags).toContainEqual({ name: tags[0] });
      expect(Object.keys(responses).length).toBeGreaterThan(0);
    }
  });

  test('describes the fields', () => {
    const { ttl_seconds: ttl, memory } = document.components.schemas.CreateSession.properties;
    expect([ttl.description, memory.description]).toEqual([expect.stringContaining('seconds without use'), 'MiB']);
  });

  test('lists both base paths and all error codes', () => {
    expect(document.servers.map(({ url }: { url: string }) => url)).toEqual(['/', '/v0']);
    expect(actual.servers.map(({ url }: { url: string }) => url)).toEqual(['/v0']);
    expect(Object.keys(document['x-error-codes'])).toEqual(Object.keys(SANDBOX_ERRORS));
  });

  test('names every part of a path, and refers to nothing that is missing', () => {
    for (const [path, item] of Object.entries<any>(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const method of METHODS) {
        const parameters = item[method]?.parameters ?? [];
        const inPath = parameters.filter((parameter: any) => parameter.in === 'path').map(({ name }: any) => name);
        if (item[method] !== undefined) expect(inPath).toEqual(names);
      }
    }
    for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(document.components.schemas).toHaveProperty(name as string);
    }
    expect(JSON.stringify(document)).not.toContain('#/$defs');
  });

  test('every schema in it is one of JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const schema of Object.values<any>(document.components.schemas)) {
      expect(() => ajv.compile({ ...schema, components: document.components })).not.toThrow();
    }
  });

  test('has names for what clients use', () => {
    expect(document.components.schemas).toEqual(
      expect.objectContaining({
        Session: expect.anything(),
        Event: expect.anything(),
        EventResult: expect.anything(),
        File: expect.anything(),
        Error: expect.anything(),
        CreateSession: expect.anything(),
        ExecRequest: expect.anything(),
      }),
    );
    expect(document.paths['/sandbox/{id}/exec'].post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/ExecRequest',
    });
  });

  test.each(['', '/v0'])('real answers below %j are as it says', async (base) => {
    const from = base === '' ? document : actual;
    const id = randomUUID();
    const call = async (method: string, template: string, body?: unknown, query = '') => {
      const path = template
        .replace('{id}', id)
        .replace('{seq}', '1')
        .replace('{port}', '1')
        .replace('{name}', 'nobody');
      const answer = await api.send(method, base + path + query, body);
      check(from, method, template, answer);
      return answer;
    };
    await call('POST', '/sandbox', { id, metadata: { a: [1, { b: null }] } });
    await call('POST', '/sandbox', { id });
    await call('POST', '/sandbox', { id: 5 });
    await call('GET', '/sandbox');
    await call('GET', '/sandbox/{id}');
    await call('PATCH', '/sandbox/{id}', { ttl_seconds: 100 });
    await call('POST', '/sandbox/{id}/exec', { cmd: String.raw`printf '\377'`, sync: true });
    await call('POST', '/sandbox/{id}/exec', { cmd: 'true' });
    await call('GET', '/sandbox/{id}/events/{seq}');
    await call('GET', '/sandbox/{id}/history');
    await call('POST', '/sandbox/{id}/events/{seq}/signal', { signal: 'TERM' });
    await call('POST', '/sandbox/{id}/fs', { path: 'f', content_b64: '' });
    await call('GET', '/sandbox/{id}/fs', undefined, '?path=f');
    await call('GET', '/sandbox/{id}/fs', undefined, '?path=nothing');
    await call('GET', '/sandbox/{id}/fs/list');
    await call('GET', '/sandbox/{id}/fs/stat', undefined, '?path=f');
    await call('GET', '/sandbox/{id}/fs/search', undefined, '?name=f');
    await call('DELETE', '/sandbox/{id}/fs', { path: 'f' });
    await call('POST', '/sandbox/{id}/git/status', {});
    await call('POST', '/sandbox/{id}/tickets');
    await call('POST', '/sandbox/{id}/ports/{port}/link', {});
    await call('GET', '/sandbox/{id}/diagnostics');
    await call('GET', '/sandbox/{id}/cost');
    await call('GET', '/keys');
    await call('DELETE', '/keys/{name}');
    await call('GET', '/audit');
    await call('GET', '/health');
    await call('DELETE', '/sandbox/{id}');
    await call('DELETE', '/sandbox/{id}');
    await call('GET', '/sandbox/{id}/history');
  });
});
