import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addUser } from '../../../docker/sandboxd/host/add-user';

describe("the sandbox's user", () => {
  const user = { name: 'sandbox', uid: 1000, gid: 1000, home: '/home/sandbox' };
  let etc: string;
  beforeEach(() => {
    etc = mkdtempSync(join(tmpdir(), 'sandboxd-etc-'));
  });
  afterEach(() => rmSync(etc, { recursive: true }));
  const read = (name: string): string => readFileSync(join(etc, name), 'utf8');

  it('gets a name, once', () => {
    writeFileSync(join(etc, 'passwd'), 'root:x:0:0::/root:/bin/sh');
    writeFileSync(join(etc, 'group'), 'root:x:0:\n');
    addUser(etc, user, '/bin/bash');
    addUser(etc, user, '/bin/bash');
    expect(read('passwd')).toBe('root:x:0:0::/root:/bin/sh\nsandbox:x:1000:1000::/home/sandbox:/bin/bash\n');
    expect(read('group')).toBe('root:x:0:\nsandbox:x:1000:\n');
  });

  it('leaves a number that somebody has, and a folder without these files', () => {
    writeFileSync(join(etc, 'passwd'), 'other:x:1000:1000::/:/bin/sh\n');
    writeFileSync(join(etc, 'group'), 'other:x:1000:\n');
    addUser(etc, user, '/bin/bash');
    expect(read('passwd')).toBe('other:x:1000:1000::/:/bin/sh\n');
    expect(() => addUser(join(etc, 'missing'), user, '/bin/bash')).not.toThrow();
  });
});
