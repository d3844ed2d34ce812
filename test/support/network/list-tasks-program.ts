import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { awsClientOptions } from '../../../lib/aws/client-options';
import { awsProblem } from '../../../lib/aws/aws-errors';

/** Program: one call of ECS as the launcher makes it. Arguments: endpoint, profile (may be empty). Prints JSON. */
async function main([endpoint = '', profile = '']: readonly string[]): Promise<void> {
  const options = awsClientOptions({ region: 'us-east-1', profile: profile || undefined }, { endpoint });
  const client = new ECSClient({ ...options, maxAttempts: 1 });
  try {
    const { taskArns } = await client.send(new ListTasksCommand({}));
    console.log(JSON.stringify({ taskArns }));
  } catch (error) {
    const { code, message, hint } = awsProblem(error, 'list tasks');
    console.log(JSON.stringify({ code, message, hint }));
  }
  client.destroy();
}

void main(process.argv.slice(2));
