import { pinnedHostKeys } from '../../lib/ssh';

describe('pinnedHostKeys', () => {
  const key = Buffer.from('key').toString('base64');

  test.each([
    ['192.0.2.1', 22, `192.0.2.1 ssh-ed25519 ${key}`],
    ['192.0.2.1', 2222, `[192.0.2.1]:2222 ssh-ed25519 ${key}`],
    ['2001:db8::1', 22, `2001:db8::1 ssh-ed25519 ${key} comment`],
    ['192.0.2.1', 22, `other,192.0.2.1 ssh-ed25519 ${key}`],
  ])('finds the key of %s port %i', (host, port, line) => {
    expect(pinnedHostKeys(`# comment\n\n${line}\n`, host, port)).toEqual([Buffer.from('key')]);
  });

  test.each([
    ['another port', `[192.0.2.1]:2222 ssh-ed25519 ${key}`],
    ['another host', `192.0.2.2 ssh-ed25519 ${key}`],
    ['a revoked key', `@revoked 192.0.2.1 ssh-ed25519 ${key}`],
    ['a comment', `# 192.0.2.1 ssh-ed25519 ${key}`],
    ['half a line', '192.0.2.1 ssh-ed25519'],
  ])('takes %s for no key of it', (_, line) => {
    expect(pinnedHostKeys(line, '192.0.2.1', 22)).toEqual([]);
  });
});
