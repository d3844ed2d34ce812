import { AwsError } from '../../wire/aws-error';
import type { DescribeKind } from './describe';
import type { SecurityGroup, Subnet, Vpc } from './network';
import type { TaskInterface } from './network-interfaces';

const notFound = (code: string, text: (id: string) => string) => (id: string) => new AwsError(code, text(id));

export const NETWORK_INTERFACE: DescribeKind<TaskInterface> = {
  kind: 'networkInterface',
  notFound: notFound('InvalidNetworkInterfaceID.NotFound', (id) => `The networkInterface ID '${id}' does not exist`),
  idOf: ({ id }) => id,
  tagsOf: ({ tags }) => tags,
  filterNames: [
    'addresses.association.public-ip',
    'addresses.private-ip-address',
    'association.public-ip',
    'attachment.attachment-id',
    'attachment.status',
    'availability-zone',
    'description',
    'group-id',
    'interface-type',
    'mac-address',
    'network-interface-id',
    'private-dns-name',
    'private-ip-address',
    'status',
    'subnet-id',
    'vpc-id',
  ],
  filterValues: (eni) => ({
    'addresses.association.public-ip': eni.publicIp,
    'addresses.private-ip-address': eni.privateIp,
    'association.public-ip': eni.publicIp,
    'attachment.attachment-id': eni.attachmentId,
    'attachment.status': 'attached',
    'availability-zone': eni.availabilityZone,
    description: eni.description,
    'group-id': eni.securityGroups,
    'interface-type': 'interface',
    'mac-address': eni.macAddress,
    'network-interface-id': eni.id,
    'private-dns-name': eni.privateDnsName,
    'private-ip-address': eni.privateIp,
    status: 'in-use',
    'subnet-id': eni.subnetId,
    'vpc-id': eni.vpcId,
  }),
};

export const SUBNET: DescribeKind<Subnet> = {
  kind: 'subnet',
  notFound: notFound('InvalidSubnetID.NotFound', (id) => `The subnet ID '${id}' does not exist`),
  idOf: ({ id }) => id,
  tagsOf: ({ tags }) => tags,
  filterNames: ['availability-zone', 'cidr-block', 'map-public-ip-on-launch', 'state', 'subnet-id', 'vpc-id'],
  filterValues: (subnet) => ({
    'availability-zone': subnet.availabilityZone,
    'cidr-block': subnet.cidr,
    'map-public-ip-on-launch': String(subnet.mapPublicIp),
    state: 'available',
    'subnet-id': subnet.id,
    'vpc-id': subnet.vpcId,
  }),
};

export const VPC: DescribeKind<Vpc> = {
  kind: 'vpc',
  notFound: notFound('InvalidVpcID.NotFound', (id) => `The vpc ID '${id}' does not exist`),
  idOf: ({ id }) => id,
  tagsOf: ({ tags }) => tags,
  filterNames: ['cidr', 'is-default', 'state', 'vpc-id'],
  filterValues: ({ id, cidr }) => ({ cidr, 'is-default': 'false', state: 'available', 'vpc-id': id }),
};

export const SECURITY_GROUP: DescribeKind<SecurityGroup> = {
  kind: 'group',
  notFound: notFound('InvalidGroup.NotFound', (id) => `The security group '${id}' does not exist`),
  idOf: ({ id }) => id,
  tagsOf: ({ tags }) => tags,
  filterNames: ['description', 'group-id', 'group-name', 'vpc-id'],
  filterValues: ({ id, name, description, vpcId }) => ({
    description,
    'group-id': id,
    'group-name': name,
    'vpc-id': vpcId,
  }),
};
