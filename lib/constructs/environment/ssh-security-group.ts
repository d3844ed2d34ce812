import type { IAspect } from 'aws-cdk-lib';
import { Annotations, AspectPriority, Aspects } from 'aws-cdk-lib';
import type { IPeer, IVpc } from 'aws-cdk-lib/aws-ec2';
import { CfnSecurityGroup, CfnSecurityGroupIngress, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { Construct, IConstruct } from 'constructs';
import type { Cidr } from './cidr';
import { distinctCidrs, parseCidr, unusableBlockOf } from './cidr';
import { hasToken } from '../checks/tokens';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';

export interface SshSecurityGroupProps {
  /** The VPC that hosts run in. */
  readonly vpc: IVpc;

  /**
   * Networks that may reach sshd, in CIDR notation, IPv4 or IPv6. A single address is also allowed.
   *
   * @default - none: port 22 is closed
   */
  readonly sources?: string[];

  /**
   * Whether hosts in the VPC have IPv6 addresses. Without them an IPv6 source has no effect, and the synthesis warns
   * about it.
   *
   * @default true
   */
  readonly ipv6?: boolean;

  /**
   * Whether the synthesis warns if no rule allows connections. Turned off when sshd is reached through Session Manager.
   *
   * @default true
   */
  readonly warnIfClosed?: boolean;
}

/** Ids of the warnings, for `Annotations.of(scope).acknowledgeWarning(id)`. */
export const SSH_WARNINGS = {
  worldOpen: 'mngr-fargate:sshOpenToTheWorld',
  closed: 'mngr-fargate:sshClosed',
  ipv6WithoutAddresses: 'mngr-fargate:sshIpv6Unreachable',
} as const;

/** Description of the rule that lets an `AgentTaskProvider` see whether sshd answers. It doesn't let anybody log in. */
export const PROBE_RULE = 'Whether sshd answers, asked by the stack';

/** A source at least this wide counts as the whole internet: an IPv4 /7 has 33 million addresses. */
const WORLD_PREFIX_LENGTH = { ipv4: 7, ipv6: 15 } as const;

/**
 * The hosts' security group: TCP port 22 from the given sources and nothing else inbound, no ICMP. Outbound everything,
 * since agents fetch packages, clone repositories and call model APIs at addresses that nobody can list.
 */
export class SshSecurityGroup extends SecurityGroup {
  constructor(scope: Construct, id: string, props: SshSecurityGroupProps) {
    super(scope, id, {
      vpc: props.vpc,
      description: 'SSH to mngr hosts',
      allowAllOutbound: true,
      allowAllIpv6Outbound: true,
    });
    const problems = sourceProblems(props.sources ?? []);
    if (problems.length > 0) throw new Error(`${this.node.path}: ${problems.join('; ')}`);
    const sources = distinctCidrs((props.sources ?? []).map(parseCidr));
    for (const source of sources) this.admit(source, props.ipv6 ?? true);
    if (props.warnIfClosed ?? true) {
      Aspects.of(this).add(new WarnWhenClosed(this), { priority: AspectPriority.READONLY });
    }
  }

  /**
   * A rule whose source only the deployment knows is a resource of its own. The source may be a host's address
   * (`task.privateAddress`), and the host needs this group first.
   */
  override addIngressRule(peer: IPeer, connection: Port, description?: string, remoteRule?: boolean): void {
    const rule = hasToken(peer.toIngressRuleConfig())
      ? (Object.create(peer, { canInlineRule: { value: false } }) as IPeer)
      : peer;
    super.addIngressRule(rule, connection, description, remoteRule);
  }

  private admit(source: Cidr, ipv6Reaches: boolean): void {
    const peer = source.family === 'ipv4' ? Peer.ipv4(source.text) : Peer.ipv6(source.text);
    this.addIngressRule(peer, Port.SSH, `SSH from ${source.text}`);

    if (source.prefixLength <= WORLD_PREFIX_LENGTH[source.family]) this.warnOfWorld(source);
    if (source.family === 'ipv6' && !ipv6Reaches) {
      Annotations.of(this).addWarningV2(
        SSH_WARNINGS.ipv6WithoutAddresses,
        `sshCidr ${source.text} has no effect, since this VPC is IPv4 only: give your IPv4 address, ` +
          'or use a dual-stack VPC with vpcId and subnetIds',
      );
    }
  }

  private warnOfWorld(source: Cidr): void {
    Annotations.of(this).addWarningV2(
      SSH_WARNINGS.worldOpen,
      `port 22 of every host is open to ${source.text}: give the networks you connect from instead, ` +
        'for example -c sshCidr=203.0.113.7/32',
    );
    const reason =
      `The deployer asked for SSH from ${source.text} by name; synthesis warns of it. ` +
      'sshd admits keys only, one key pair per host, and a host ends itself when idle.';
    if (source.prefixLength === 0) acknowledgeFinding(this, 'AwsSolutions-EC23', reason);
    acknowledgeFinding(this, 'CloudFormation-Validate::W2508', reason);
  }
}

/** The most rules that a group may have for IPv4, and for IPv6 (Amazon VPC quotas); one is left for the hosts of stacks. */
const MAX_SOURCES = 59;

/** Everything that is wrong with the networks that may reach sshd. */
export function sourceProblems(sources: readonly string[]): string[] {
  const problems: string[] = [];
  const cidrs: Cidr[] = [];
  for (const source of sources) {
    try {
      const cidr = parseCidr(source);
      cidrs.push(cidr);
      const block = unusableBlockOf(cidr);
      if (block !== undefined)
        problems.push(`no connection comes from ${source}, as ${block} is reserved: leave it out`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    const count = distinctCidrs(cidrs).filter((cidr) => cidr.family === family).length;
    if (count > MAX_SOURCES) {
      problems.push(
        `${count} ${family} networks are too many for one security group: give at most ${MAX_SOURCES}, for example by merging adjacent networks`,
      );
    }
  }
  return problems;
}

/** Checks after all rules have been added, including those that `connections` added to the group. */
class WarnWhenClosed implements IAspect {
  constructor(private readonly securityGroup: SshSecurityGroup) {}

  visit(node: IConstruct): void {
    if (node !== this.securityGroup || this.hasIngress()) return;
    Annotations.of(this.securityGroup).addWarningV2(
      SSH_WARNINGS.closed,
      'nobody can reach SSH on the hosts, as no source is given and Session Manager is off: leave -c sessionSsh=false out, ' +
        'deploy with -c sshCidr=<your address>/32, or allow a security group with connections.allowFrom(…, Port.SSH)',
    );
  }

  private hasIngress(): boolean {
    return this.securityGroup.node.findAll().some((child) => {
      if (child instanceof CfnSecurityGroupIngress) return child.description !== PROBE_RULE;
      if (!(child instanceof CfnSecurityGroup)) return false;
      const rules: unknown = this.securityGroup.stack.resolve(child.securityGroupIngress);
      return Array.isArray(rules) && rules.length > 0;
    });
  }
}
