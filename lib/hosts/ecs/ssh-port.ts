import type { IpPermission } from '@aws-sdk/client-ec2';
import type { ProviderConfig } from '../../contract/provider-config';
import { awsCall } from '../../aws/aws-call';
import type { AwsClients } from '../../aws/clients';

const SSH_PORT = 22;

/** Whether the hosts' security groups let anybody in to SSH. Whom, only EC2 can tell: NAT hides this machine's address. */
export class SshPort {
  private answer: Promise<boolean | undefined> | undefined;

  constructor(
    private readonly clients: AwsClients,
    private readonly config: ProviderConfig,
  ) {}

  /** Asks once. Undefined if AWS doesn't say: nobody has configured a group, or these credentials may not read it. */
  isOpen(signal?: AbortSignal): Promise<boolean | undefined> {
    this.answer ??= this.ask(signal).catch(() => {
      this.answer = undefined;
      return undefined;
    });
    return this.answer;
  }

  private async ask(signal: AbortSignal | undefined): Promise<boolean | undefined> {
    const groups = this.config.security_groups;
    if (groups.length === 0) return undefined;
    const ec2 = await this.clients.ec2();
    const ask = (abortSignal?: AbortSignal) => ec2.describeSecurityGroups(groups, abortSignal);
    const found = await awsCall('read the security groups of the hosts', ask, signal);
    return found.some(({ IpPermissions: rules = [] }) => rules.some(admitsSsh));
  }
}

function admitsSsh(rule: IpPermission): boolean {
  const { IpProtocol: protocol, FromPort: from = 0, ToPort: to = 65_535 } = rule;
  const sources = [rule.IpRanges, rule.Ipv6Ranges, rule.PrefixListIds, rule.UserIdGroupPairs];
  const covers = protocol === '-1' || (protocol === 'tcp' && from <= SSH_PORT && SSH_PORT <= to);
  return covers && sources.some((list) => (list ?? []).length > 0);
}
