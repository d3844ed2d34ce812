import { parentOf } from './plan';

/**
 * Why a link that a host lists must not be recreated here; undefined for one that stays inside the copied folder whatever
 * the other links in it are. Like rsync's `--safe-links`: a relative target that climbs no higher than the root, and only at
 * its beginning, since `..` behind the name of another link leads to the parent of what that link points to.
 */
export function linkProblem(path: string, target: string): string | undefined {
  if (target === '' || target.includes('\0')) return 'its target is not a valid path';
  if (target.startsWith('/')) return `it points to ${target}, outside the copied folder`;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  const leading = climbs === -1 ? parts.length : climbs;
  const depth = parentOf(path) === '' ? 0 : parentOf(path).split('/').length;
  if (leading > depth || parts.includes('..', leading)) return `it points to ${target}, outside the copied folder`;
  return undefined;
}
