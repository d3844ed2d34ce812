import '../../lib/cli/quiet-aws-sdk';
import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTasksCommand, ECSClient, paginateListTasks } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { isMngrFargateError } from '../../lib/contract/errors';
import { Hosts } from '../../lib/hosts/index';
import { answerWhenTold } from './measured-program';

/** What the program is asked to do, as JSON in its only argument. */
export interface ListQuestion {
  /** `hosts`: the library's list. `floor`: the fewest calls with nothing done about their answers. `get`: one host by name. */
  readonly way: 'hosts' | 'floor' | 'get';
  readonly config: ProviderConfig;
  readonly keyDirectory: string;
  /** For `get`. */
  readonly name: string;
}

export interface ListAnswer {
  readonly hosts: number;
  readonly milliseconds: number;
}

const TASKS_PER_DESCRIBE = 100;
const INTERFACES_PER_DESCRIBE = 1000;
const SOCKETS = 32;
/** No host has this name: asking for it makes the clients, their credentials and first connections, and no more. */
const NOBODY = 'nobody';

async function main(): Promise<void> {
  const question = JSON.parse(process.argv[2] ?? '') as ListQuestion;
  await (question.way === 'floor' ? fewestCalls(question.config) : withLibrary(question));
}

async function withLibrary({ way, config, keyDirectory, name }: ListQuestion): Promise<void> {
  const hosts = new Hosts({ config, keyDirectory });
  await hosts.get(NOBODY).catch((error: unknown) => {
    if (!isMngrFargateError(error) || error.code !== 'not-found') throw error;
  });
  await answerWhenTold(() =>
    timed(async () => (way === 'get' ? [await hosts.get(name)].length : (await hosts.list()).length)),
  );
  await hosts.close();
}

/**
 * The calls that a list can't do without, in the best order there is: one page of ListTasks after the other, since each
 * needs the token of the one before; each page's tasks described as soon as it is there; and network interfaces as soon
 * as there are enough for a full call. Nothing is kept of the answers.
 */
async function fewestCalls({ aws_region: region, aws_role_arn: RoleArn, ecs_cluster: cluster }: ProviderConfig) {
  const credentials = RoleArn === undefined ? undefined : fromTemporaryCredentials({ params: { RoleArn } });
  const requestHandler = new NodeHttpHandler({ httpAgent: { keepAlive: true, maxSockets: SOCKETS } });
  const ecs = new ECSClient({ region, credentials, requestHandler });
  const ec2 = new EC2Client({ region, credentials, requestHandler });

  const describeInterfaces = (NetworkInterfaceIds: string[]): Promise<unknown> =>
    ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds }));
  const calls = async (startedBy?: string): Promise<number> => {
    let hosts = 0;
    let interfaceIds: string[] = [];
    const underWay: Promise<unknown>[] = [];
    const describe = async (tasks: string[]): Promise<void> => {
      const { tasks: described = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks, include: ['TAGS'] }));
      hosts += described.length;
      for (const { attachments = [] } of described) {
        const details = attachments.flatMap((attachment) => attachment.details ?? []);
        const id = details.find((detail) => detail.name === 'networkInterfaceId')?.value;
        if (id !== undefined) interfaceIds.push(id);
      }
      if (interfaceIds.length < INTERFACES_PER_DESCRIBE) return;
      const full = interfaceIds.slice(0, INTERFACES_PER_DESCRIBE);
      interfaceIds = interfaceIds.slice(INTERFACES_PER_DESCRIBE);
      await describeInterfaces(full);
    };
    const pages = paginateListTasks({ client: ecs, pageSize: TASKS_PER_DESCRIBE }, { cluster, startedBy });
    for await (const { taskArns = [] } of pages) if (taskArns.length > 0) underWay.push(describe(taskArns));
    await Promise.all(underWay);
    if (interfaceIds.length > 0) await describeInterfaces(interfaceIds);
    return hosts;
  };
  await calls(NOBODY);
  await answerWhenTold(() => timed(() => calls()));
}

async function timed(work: () => Promise<number>): Promise<ListAnswer> {
  const start = performance.now();
  const hosts = await work();
  return { hosts, milliseconds: performance.now() - start };
}

void main();
