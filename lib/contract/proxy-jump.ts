/** One bastion on the way to the hosts, as `proxy_jump` names it. What is undefined is what the user's own SSH says. */
export interface JumpHost {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

/** Turns a bastion that is configured elsewhere off. */
export const NO_PROXY_JUMP = 'none';

export const PROXY_JUMP_FORM =
  'must be [USER@]HOST[:PORT], or several of them separated by commas, the nearest first; an IPv6 address stands in brackets';

const HOP =
  /^(?:(?<user>[A-Za-z0-9_][\w.@\\+-]*)@)?(?<host>[A-Za-z0-9_][\w.-]*|\[[0-9A-Fa-f:.]+(?:%\w+)?\])(?::(?<port>\d{1,5}))?$/;

function jumpHostIn(text: string): JumpHost | undefined {
  const { user, host = '', port } = HOP.exec(text)?.groups ?? {};
  const number = port === undefined ? undefined : Number(port);
  if (host === '' || (number !== undefined && (number < 1 || number > 65_535))) return undefined;
  return { user, host: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}

/** The bastions that the text names, the nearest first; none for `none`. Undefined if it has another form. */
export function parseProxyJump(text: string): readonly JumpHost[] | undefined {
  if (text === NO_PROXY_JUMP) return [];
  const hops = text.split(',').map((hop) => jumpHostIn(hop.trim()));
  return hops.every((hop) => hop !== undefined) ? hops : undefined;
}
