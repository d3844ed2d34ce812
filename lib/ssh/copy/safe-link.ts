import { parentOf } from './plan';

/**
 * Why a link on the host must not be recreated here; undefined if it stays inside the copied folder whatever the other
 * links there are. Like rsync's `--safe-links`: the target is relative, and climbs no higher than the root. `..` is only
 * allowed at its beginning, since after the name of another link it means the parent of that link's target.
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
