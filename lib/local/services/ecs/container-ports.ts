import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Dial } from '../../agent/port-plugin';
import type { World } from '../../world';
import { network } from '../ec2/network';
import { deniedAddresses, permittedAddress } from './denied-hosts';
import type { TaskRecord } from './task-record';

const LOOPBACK = '127.0.0.1';
const SSH_PORT = 22;

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * How a port of the container is reached from here, or of a host that the container reaches. The task's sshd has an
 * address of its own; what else listens in a task that runs as processes does so on this machine's loopback, or on the
 * task's address. Rejects, in the agent's words, for hosts that nothing may be forwarded to.
 */
export async function dialerOf(
  world: World,
  record: TaskRecord,
  port: number,
  host: string | undefined,
): Promise<Dial> {
  if (host !== undefined) {
    const { subnets, vpcs } = world.part(network);
    const vpc = vpcs.get(subnets.get(record.networking.subnetId)?.vpcId ?? '');
    const address = await permittedAddress(host, deniedAddresses(vpc?.cidr ?? '10.0.0.0/16'));
    return () => dialFirst([{ host: address, port }], `${address}:${port}`);
  }
  const { address } = record;
  const own = address === undefined ? [] : [{ host: address.ip, port: port === SSH_PORT ? address.port : port }];
  // Port 22 of the loopback is the machine's own sshd, which belongs to no task.
  const places = port === SSH_PORT ? own : [{ host: LOOPBACK, port }, ...own];
  return () => dialFirst(places, `${LOOPBACK}:${port}`);
}

/** Connects to the first of the places that answers. `name` is used in errors. */
async function dialFirst(places: readonly Place[], name: string): Promise<Socket> {
  let problem = 'connection refused';
  for (const place of places) {
    try {
      return await dial(place);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      problem = code === 'ECONNREFUSED' ? 'connection refused' : message;
    }
  }
  throw new Error(`dial tcp ${name}: connect: ${problem}`);
}

/** Closed on both sides when one is, as the agent does it. */
function dial({ host, port }: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
