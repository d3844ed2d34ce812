import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTasksCommand, ECSClient, paginateListTasks } from '@aws-sdk/client-ecs';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { Hosts } from '../../lib/hosts/index';
import { mapBounded } from '../../lib/util/bounded.js';

/** What the program is asked to do, as JSON in its only argument. */
export interface ListQuestion {
  /** `hosts`: the library's list. `floor`: the fewest calls with nothing done about their answers. `get`: one host by name. */
  readonly way: 'hosts' | 'floor' | 'get';
  readonly config: ProviderConfig;
  readonly keyDirectory: string;
  /** For `get`. */
  readonly name: string;
}

/** What it prints, as JSON. */
export interface ListAnswer {
  readonly hosts: number;
  readonly milliseconds: number;
  /** Peak resident memory of this process, in bytes. */
  readonly peakMemory: number;
}

const TASKS_PER_DESCRIBE = 100;
const INTERFACES_PER_DESCRIBE = 1000;
const CALLS_AT_ONCE = 8;

/** Program of a process of its own for each measurement, so that peak memory is one measurement's. */
async function main(): Promise<void> {
  const question = JSON.parse(process.argv[2] ?? '') as ListQuestion;
  const start = performance.now();
  const hosts = question.way === 'floor' ? await fewestCalls(question.config) : await withLibrary(question);
  const answer: ListAnswer = {
    hosts,
    milliseconds: performance.now() - start,
    peakMemory: process.resourceUsage().maxRSS * 1024,
  };
  console.log(JSON.stringify(answer));
}

async function withLibrary({ way, config, keyDirectory, name }: ListQuestion): Promise<number> {
  const hosts = new Hosts({ config, keyDirectory });
  try {
    return way === 'get' ? [await hosts.get(name)].length : (await hosts.list()).length;
  } finally {
    await hosts.close();
  }
}

async function fewestCalls({ aws_region: region, aws_role_arn: RoleArn, ecs_cluster: cluster }: ProviderConfig) {
  const credentials = RoleArn === undefined ? undefined : fromTemporaryCredentials({ params: { RoleArn } });
  const ecs = new ECSClient({ region, credentials });
  const ec2 = new EC2Client({ region, credentials });
  const pages: string[][] = [];
  for await (const { taskArns = [] } of paginateListTasks({ client: ecs, pageSize: TASKS_PER_DESCRIBE }, { cluster })) {
    if (taskArns.length > 0) pages.push(taskArns);
  }
  const interfaceIds: string[] = [];
  await mapBounded(pages, CALLS_AT_ONCE, async (tasks) => {
    const { tasks: described = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks, include: ['TAGS'] }));
    for (const { attachments = [] } of described) {
      const details = attachments.flatMap((attachment) => attachment.details ?? []);
      const id = details.find((detail) => detail.name === 'networkInterfaceId')?.value;
      if (id !== undefined) interfaceIds.push(id);
    }
  });
  const groups = Array.from({ length: Math.ceil(interfaceIds.length / INTERFACES_PER_DESCRIBE) }, (_, group) =>
    interfaceIds.slice(group * INTERFACES_PER_DESCRIBE, (group + 1) * INTERFACES_PER_DESCRIBE),
  );
  await mapBounded(groups, CALLS_AT_ONCE, (NetworkInterfaceIds) =>
    ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds })),
  );
  return interfaceIds.length;
}

void main();
