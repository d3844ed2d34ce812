import type { GlobalOptions } from './global-options';

/** Program and arguments that carry a connection to a host's sshd on their stdin and stdout, with these options. */
export const sshProxyWords = (options: GlobalOptions, hostId: string): string[] => [
  ...sshProxyProgram(options),
  hostId,
];

/** The same without the host, which has to follow. */
export function sshProxyProgram(options: GlobalOptions): string[] {
  const named: Readonly<Record<string, string | undefined>> = {
    provider: options.provider,
    stack: options.stack,
    region: options.region,
    profile: options.profile,
    'role-arn': options.roleArn,
    cluster: options.cluster,
    'proxy-jump': options.proxyJump,
  };
  return [
    process.execPath,
    ...process.execArgv,
    process.argv[1] as string,
    'ssh-proxy',
    ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...(options.set ?? []).map((pair) => `--set=${pair}`),
  ];
}
