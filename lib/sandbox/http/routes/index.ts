import type { RouteContext, RouteSpec } from '../route';
import { auditRoutes } from './audit';
import { execRoutes } from './exec';
import { fileRoutes } from './files';
import { fileTreeRoutes } from './file-tree';
import { gitRoutes } from './git';
import { healthRoutes } from './health';
import { inputRoutes } from './input';
import { keyRoutes } from './keys';
import { linkRoutes } from './links';
import { portRoutes } from './ports';
import { ptyRoutes } from './pty';
import { rawFileRoutes } from './raw-files';
import { sessionRoutes } from './sessions';
import { streamRoutes } from './streams';

/** Every route of the API, in one of its shapes. */
export function allRoutes(context: RouteContext): RouteSpec[] {
  const routes = [
    sessionRoutes,
    execRoutes,
    streamRoutes,
    inputRoutes,
    ptyRoutes,
    fileRoutes,
    rawFileRoutes,
    fileTreeRoutes,
    gitRoutes,
    portRoutes,
    linkRoutes,
    keyRoutes,
    auditRoutes,
  ].flatMap((group) => group(context));
  return [...routes, ...healthRoutes(context, routes)];
}
