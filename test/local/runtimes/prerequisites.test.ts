import { missingPrograms, packageSource } from '../../../lib/local/runtimes/prerequisites';

describe('what processes need of the machine', () => {
  const without =
    (...programs: string[]) =>
    (program: string) =>
      !programs.includes(program);

  it('is nothing when every program is there', () => {
    expect(missingPrograms('apt', () => true)).toBeUndefined();
  });

  it.each([
    ['apt', 'apt-get install -y --no-install-recommends openssh-server jq procps'],
    ['dnf', 'dnf install -y openssh-server jq procps-ng'],
    ['apk', 'apk add openssh-server jq procps-ng'],
    ['brew', 'brew install openssh jq procps'],
    ['none', "install sshd, jq, ps with the system's package manager"],
  ] as const)('is said as one command for %s', (source, command) => {
    const missing = missingPrograms(source, without('sshd', 'jq', 'ps'));
    expect(missing?.programs).toEqual(['sshd', 'jq', 'ps']);
    expect(missing?.command.replace(/^sudo /, '')).toBe(command);
  });

  it.each([
    ['linux', 'ID=debian\n', 'apt'],
    ['linux', 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n', 'apt'],
    ['linux', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'dnf'],
    ['linux', 'ID=alpine\n', 'apk'],
    ['linux', 'ID=gentoo\n', 'none'],
    ['darwin', '', 'brew'],
  ] as const)('comes on %s with %j from %s', (platform, osRelease, source) => {
    expect(packageSource(platform, osRelease)).toBe(source);
  });
});
