import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives the sandbox's user a name in `passwd` and `group` of the folder, usually /etc, unless its name or number is taken.
 * Where they can't be written the user stays a number, which is enough for its rights.
 */
export function addUser(
  etc: string,
  user: { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string },
  shell: string,
): void {
  const add = (file: string, id: number, line: string): void => {
    const path = join(etc, file);
    const text = readFileSync(path, 'utf8');
    const taken = text.split('\n').some((entry) => {
      const [name, , number] = entry.split(':');
      return name === user.name || number === String(id);
    });
    if (!taken) appendFileSync(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
  };
  try {
    add('group', user.gid, `${user.name}:x:${user.gid}:`);
    add('passwd', user.uid, `${user.name}:x:${user.uid}:${user.gid}::${user.home}:${shell}`);
  } catch {
    // A file system that is read only.
  }
}
