import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/run/paths';
import { startTestServer } from '../support/sandbox/http-server';
import type { TestServer } from '../support/sandbox/http-server';

const run = promisify(execFile);

const page = readFileSync(join(ROOT, 'docs/sandbox.md'), 'utf8');
const [, example = ''] = /^## The API by example$(.*?)^## /ms.exec(page) ?? [];
/** The commands of the page, as one script that stops at the first that fails. */
const script = [...example.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test('the examples of docs/sandbox.md do what they say', async () => {
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, SANDBOX_URL: server.url, SANDBOX_KEY: server.admin.key },
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(stdout).toContain('"stdout":"hello from sandbox in /tmp\\n"');
  expect(stdout).toContain('"stdout":"line 1\\nline 2\\nline 3\\n"');
  expect(stdout).toMatch(/^event: exit$/m);
  expect(stdout).toContain('"stdout":"SOME TEXT"');
  expect(stdout).toContain('"signal":"TERM"');
  expect(stdout).toContain('"content_b64":"aGVsbG8K"');
  expect(stdout).toContain("it's a start");
  expect(stdout).toMatch(/"url":"http:[^"]*\/link\//);
  expect(stdout).toMatch(/\{"sessions":\[\{"id":"demo"/);
  expect(stdout).toContain('"metadata":{"team":"red"}');
  expect(stdout).toMatch(/"id":"demo","status":"destroyed"/);
});
