import { spawnSync } from 'node:child_process';
import { sshArguments } from '../../../lib/hosts/remote/ssh-arguments';
import { hostLike } from '../../support/host/host-like';
import { describeWith, program } from '../../support/run/requirements';

describeWith(program('ssh'), 'sshArguments, as the system’s ssh reads them', () => {
  const settingsOf = (folder: string): Map<string, string> => {
    const host = hostLike({
      address: { host: '192.0.2.1', port: 2222, user: 'root' },
      identityFile: `${folder}/id_ed25519`,
      knownHostsFile: `${folder}/known_hosts`,
    });
    const { stdout } = spawnSync('ssh', ['-G', ...sshArguments(host)], { encoding: 'utf8' });
    return new Map(stdout.split('\n').map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]));
  };

  test('nothing is asked for on the terminal but the key', () => {
    const settings = settingsOf('/keys');
    expect(settings.get('passwordauthentication')).toBe('no');
    expect(settings.get('kbdinteractiveauthentication')).toBe('no');
    expect(settings.get('stricthostkeychecking')).toBe('true');
  });

  test.each(['/keys of mine/100%h', "/it's", '/say "hi"', '/back\\slash'])('%s is a folder for keys', (folder) => {
    const settings = settingsOf(folder);
    // ssh -G prints paths before it expands the tokens in them.
    expect(settings.get('identityfile')?.replaceAll('%%', '%')).toBe(`${folder}/id_ed25519`);
    expect(settings.get('userknownhostsfile')?.replaceAll('%%', '%')).toBe(`${folder}/known_hosts`);
    expect(settings.get('identityfile')).not.toMatch(/(?<!%)%(?!%)/);
  });
});
