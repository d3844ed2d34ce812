import type { IpPermission, Route, SecurityGroup, VpcEndpoint } from '@aws-sdk/client-ec2';
import type { DoctorFacts } from '../facts';
import type { Check, Finding } from '../finding';

const HTTPS = 443;
const EVERYWHERE = '0.0.0.0/0';

/** Whether a rule lets HTTPS through, wherever it goes. */
const hasHttps = ({ IpProtocol, FromPort, ToPort }: IpPermission): boolean =>
  IpProtocol === '-1' ||
  ((IpProtocol === 'tcp' || IpProtocol === '6') && (FromPort ?? 0) <= HTTPS && (ToPort ?? 65_535) >= HTTPS);

/** An IPv4 address as a number. */
const numberOf = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

function isWithin(address: string, cidr: string): boolean {
  const [network = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(network) / size);
}

/** Endpoints that answer under the service's own name. */
const usable = (endpoints: readonly VpcEndpoint[]): readonly VpcEndpoint[] =>
  endpoints.filter(({ State, PrivateDnsEnabled }) => /^available$/i.test(State ?? '') && PrivateDnsEnabled === true);

const defaultRoute = (routes: readonly Route[] = []): Route | undefined =>
  routes.find((route) => route.DestinationCidrBlock === EVERYWHERE && route.State !== 'blackhole');

async function wayOut(facts: DoctorFacts): Promise<readonly Finding[]> {
  const endpoints = await facts.messageEndpoints();
  if (usable(endpoints).length > 0) return [];
  const route = defaultRoute((await facts.routeTable()).Routes);
  const { Association, SubnetId } = await facts.networkInterface();
  const throughInternet = route?.GatewayId?.startsWith('igw-') === true;
  const evidence = {
    subnet: SubnetId ?? null,
    defaultRoute: route?.NatGatewayId ?? route?.GatewayId ?? route?.TransitGatewayId ?? null,
    publicIp: Association?.PublicIp ?? null,
    endpoints: endpoints.map(({ VpcEndpointId, State, PrivateDnsEnabled }) => ({
      id: VpcEndpointId,
      state: State,
      privateDns: PrivateDnsEnabled,
    })),
  };
  // Any other default route (NAT, transit gateway, an appliance) may lead out.
  if (route !== undefined && !(throughInternet && Association?.PublicIp === undefined)) return [];
  const service = `com.amazonaws.${facts.region}.ssmmessages`;
  const message = throughInternet
    ? 'the task has no public address, and its subnet has an internet gateway but no NAT'
    : 'the task has no way to Session Manager: its subnet has no default route';
  const endpoint =
    endpoints.length === 0 ? '' : '; the VPC has an endpoint, which is not available or has no private DNS';
  return [
    {
      id: 'way-out',
      severity: 'error',
      message: message + endpoint,
      evidence,
      fix: `aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --service-name ${service} --private-dns-enabled --vpc-id VPC --subnet-ids ${SubnetId ?? 'SUBNET'} --security-group-ids GROUP --region ${facts.region}`,
    },
  ];
}

async function egress(facts: DoctorFacts): Promise<readonly Finding[]> {
  const ids = ((await facts.networkInterface()).Groups ?? []).map(({ GroupId = '' }) => GroupId);
  if (ids.length === 0) return [];
  const groups = await facts.securityGroups(ids);
  if (groups.some(({ IpPermissionsEgress = [] }) => IpPermissionsEgress.some(hasHttps))) return [];
  return [
    {
      id: 'security-group-egress',
      severity: 'error',
      message: "the task's security groups allow no outbound HTTPS, which ECS Exec's agent needs to connect",
      evidence: { securityGroups: ids },
      fix: `aws ec2 authorize-security-group-egress --group-id ${ids[0] ?? ''} --protocol tcp --port 443 --cidr ${EVERYWHERE} --region ${facts.region}`,
    },
  ];
}

function letsIn(groups: readonly SecurityGroup[], address: string, from: readonly string[]): boolean {
  return groups
    .flatMap(({ IpPermissions = [] }) => IpPermissions)
    .filter(hasHttps)
    .some(
      ({ IpRanges = [], UserIdGroupPairs = [], PrefixListIds = [] }) =>
        IpRanges.some(({ CidrIp }) => CidrIp !== undefined && isWithin(address, CidrIp)) ||
        UserIdGroupPairs.some(({ GroupId = '' }) => from.includes(GroupId)) ||
        // What a prefix list holds isn't looked at.
        PrefixListIds.length > 0,
    );
}

async function endpointIngress(facts: DoctorFacts): Promise<readonly Finding[]> {
  const [endpoint] = usable(await facts.messageEndpoints());
  if (endpoint === undefined) return [];
  const { PrivateIpAddress: address = '', Groups = [] } = await facts.networkInterface();
  const ids = (endpoint.Groups ?? []).map(({ GroupId = '' }) => GroupId);
  const own = Groups.map(({ GroupId = '' }) => GroupId);
  if (ids.length === 0 || letsIn(await facts.securityGroups(ids), address, own)) return [];
  return [
    {
      id: 'endpoint-security-group',
      severity: 'error',
      message: 'the security groups of the ssmmessages endpoint allow no HTTPS from the task',
      evidence: { endpoint: endpoint.VpcEndpointId, securityGroups: ids, taskAddress: address, taskGroups: own },
      fix: `aws ec2 authorize-security-group-ingress --group-id ${ids[0] ?? ''} --protocol tcp --port 443 --source-group ${own[0] ?? ''} --region ${facts.region}`,
    },
  ];
}

async function endpointPolicy(facts: DoctorFacts): Promise<readonly Finding[]> {
  const [endpoint] = usable(await facts.messageEndpoints());
  const policy = endpoint?.PolicyDocument;
  if (endpoint === undefined || policy === undefined || /"Action"\s*:\s*\[?\s*"(?:\*|ssmmessages:)/.test(policy))
    return [];
  return [
    {
      id: 'endpoint-policy',
      severity: 'warning',
      message: 'the policy of the ssmmessages endpoint may not allow ssmmessages',
      evidence: { endpoint: endpoint.VpcEndpointId, policy },
      fix: `aws ec2 modify-vpc-endpoint --vpc-endpoint-id ${endpoint.VpcEndpointId ?? ''} --reset-policy --region ${facts.region}`,
    },
  ];
}

async function ipv6Only(facts: DoctorFacts): Promise<readonly Finding[]> {
  const { Ipv6Native, SubnetId } = await facts.subnet();
  if (Ipv6Native !== true) return [];
  return [
    {
      id: 'ipv6-only',
      severity: 'error',
      message: 'the subnet has IPv6 only, which ECS Exec does not support',
      evidence: { subnet: SubnetId },
      fix: 'run the task in a subnet with IPv4',
    },
  ];
}

/** The owner of a shared subnet has route tables and endpoints that this account may not see. */
async function sharedSubnet(facts: DoctorFacts): Promise<readonly Finding[]> {
  const { OwnerId, SubnetId } = await facts.subnet();
  const { account } = await facts.caller();
  if (OwnerId === undefined || OwnerId === account) return [];
  return [
    {
      id: 'shared-subnet',
      severity: 'info',
      message: `the subnet belongs to account ${OwnerId}: its routes and endpoints can't all be seen from here`,
      evidence: { subnet: SubnetId, owner: OwnerId, account },
      fix: null,
    },
  ];
}

/** Whether the agent reaches Session Manager. Tasks without an interface of their own aren't looked at. */
export const NETWORK_CHECKS: readonly Check[] = [
  { id: 'way-out', run: wayOut },
  { id: 'security-group-egress', run: egress },
  { id: 'endpoint-security-group', run: endpointIngress },
  { id: 'endpoint-policy', run: endpointPolicy },
  { id: 'ipv6-only', run: ipv6Only },
  { id: 'shared-subnet', run: sharedSubnet },
];
