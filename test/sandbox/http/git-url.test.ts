import fc from 'fast-check';
import { gitUrl } from '../../../lib/sandbox/http/git/git-url';

describe('gitUrl', () => {
  test.each([
    'https://github.com/owner/repo.git',
    'http://127.0.0.1:8080/repo',
    'ssh://git@host:22/repo.git',
    'git@github.com:owner/repo.git',
    'host:path/to/repo',
    'git://host/repo',
    'file:///srv/repo.git',
    '/srv/my repo.git',
  ])('%s is a repository', (url) => {
    expect(gitUrl(url, 'url').url).toBe(url);
  });

  test.each([
    '--upload-pack=touch /tmp/x',
    '-u',
    'ext::sh -c touch% /tmp/x',
    'fd::3',
    'git-remote-x::y',
    'ssh://-oProxyCommand=x/repo',
    'ssh://-oProxyCommand=x@host/repo',
    '-oProxyCommand=x:repo',
    'user@-oProxyCommand=x:repo',
    'host:-x',
    'ftp://host/repo',
    'data://x/y',
    'https://host/re po',
    'https://host/re\npo',
    'ssh://user:password@host/repo',
    'repo',
    '',
  ])('%j is refused', (url) => {
    expect(() => gitUrl(url, 'url')).toThrow(expect.objectContaining({ code: 'bad_request', field: 'url' }));
  });

  test('credentials are taken out of the URL', () => {
    expect(gitUrl('https://user:p%40ss@host:8443/repo?x=1', 'url')).toEqual({
      url: 'https://host:8443/repo?x=1',
      origin: 'https://host:8443',
      credentials: { username: 'user', password: 'p@ss' },
    });
    expect(gitUrl('https://token@host/repo', 'url').credentials).toEqual({
      username: 'x-access-token',
      password: 'token',
    });
    expect(() => gitUrl('https://user:a%0Ab@host/repo', 'url')).toThrow('control character');
  });

  test('nothing that is accepted looks like an option or a helper', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.tuple(fc.constantFrom('-', 'ext::', 'ssh://', 'a@'), fc.string()).map((parts) => parts.join('')),
        ),
        (text) => {
          let found;
          try {
            found = gitUrl(text, 'url');
          } catch {
            return;
          }
          expect(found.url).not.toMatch(/^-|::|@-|:\/\/-/);
        },
      ),
    );
  });
});
