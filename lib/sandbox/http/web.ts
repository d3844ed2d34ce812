import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { packageRoot } from '../../util/package-root';

/** Every file of the page, by the name under which it is served: no other path reaches the disk. */
const FILES: Readonly<Record<string, string>> = {
  '': 'index.html',
  'app.js': 'app.js',
  'app.css': 'app.css',
  'icon.svg': 'icon.svg',
};

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/**
 * No script but the page's own file, no connection but to the service, no frame around it. xterm.js writes its colors and
 * sizes into style elements, which only `unsafe-inline` allows (decision 170).
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the page below /web/. It needs no key: it asks for one. */
export async function webPage(app: FastifyInstance): Promise<void> {
  const folder = join(packageRoot(), 'dist', 'web');
  app.get('/', (_request, reply) => reply.redirect('/web/'));
  app.get('/web', (_request, reply) => reply.redirect('/web/'));
  for (const [name, file] of Object.entries(FILES)) {
    app.get(`/web/${name}`, async (_request, reply) => {
      void reply.headers({
        'content-type': TYPES[file.split('.').pop() as string] as string,
        'content-security-policy': POLICY,
        'cross-origin-opener-policy': 'same-origin',
        'x-frame-options': 'DENY',
        'cache-control': 'no-cache',
      });
      return readFile(join(folder, file));
    });
  }
}
