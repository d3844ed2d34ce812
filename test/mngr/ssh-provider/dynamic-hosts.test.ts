import fc from 'fast-check';
import { parse } from 'smol-toml';
import type { DynamicHost } from '../../../lib/mngr/ssh-provider/dynamic-hosts';
import { dynamicHostsIn, renderDynamicHosts, sshProviderHostId } from '../../../lib/mngr/ssh-provider/dynamic-hosts';
import { TomlFile } from '../../../lib/mngr/toml/toml-file';

const KEYS = '/home/me/.mngr/profiles/p/fargate';
const host = (name: string): DynamicHost => ({
  name,
  address: '203.0.113.10',
  port: 22,
  user: 'root',
  keyFile: `${KEYS}/hosts/host-1/id_ed25519`,
  knownHostsFile: `${KEYS}/hosts/host-1/known_hosts`,
});
const read = (text: string): DynamicHost[] => dynamicHostsIn(TomlFile.parse(text, 'dynamic_hosts.toml'), KEYS);

test("ids are those of mngr's ssh provider", () => {
  expect(sshProviderHostId('fargate', 'my-host')).toBe('host-287f8e80848b551590363ae75a33fa60');
});

test('the file has exactly the five keys that mngr knows', () => {
  expect(parse(renderDynamicHosts([host('fox')]))).toEqual({
    fox: {
      address: '203.0.113.10',
      port: 22,
      user: 'root',
      key_file: `${KEYS}/hosts/host-1/id_ed25519`,
      known_hosts_file: `${KEYS}/hosts/host-1/known_hosts`,
    },
  });
});

test('what was written is read again, and the order of the hosts makes no other file', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_-]{0,20}[A-Za-z0-9])?$/), { maxLength: 8 });
  fc.assert(
    fc.property(names, (all) => {
      const text = renderDynamicHosts(all.map(host));
      expect(new Set(read(text))).toEqual(new Set(all.map(host)));
      expect(renderDynamicHosts([...all].reverse().map(host))).toBe(text);
    }),
  );
});

test.each([
  ['an entry with a key of its own', '[box]\naddress = "10.0.0.1"\nkey_file = "/home/me/.ssh/id"\n'],
  ['an entry without a key', '[box]\naddress = "10.0.0.1"\n'],
  ['something that is no host', 'version = 1\n'],
  ['a key beside the key directory', renderDynamicHosts([host('fox')]).replaceAll('/fargate/', '/fargate-old/')],
])('%s is not ours to overwrite', (_, text) => {
  expect(() => read(text)).toThrow(/which "mngr sync" did not write/);
});
