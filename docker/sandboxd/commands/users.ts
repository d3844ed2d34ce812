import { readFileSync } from 'node:fs';
import type { Settings } from '../settings';

export interface RunUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user that a request names, by name or number. undefined if there is none of that name. */
export function findUser(wanted: string | undefined, settings: Settings): RunUser | undefined {
  if (wanted === undefined || wanted === settings.user.name) return settings.user;
  const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : undefined;
  if (number === settings.user.uid) return settings.user;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid, gid, , home = '/'] = line.split(':');
    if (name !== '' && (name === wanted || Number(uid) === number))
      return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return number === undefined ? undefined : { name: wanted, uid: number, gid: number, home: '/' };
}
