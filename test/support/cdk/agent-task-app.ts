import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { AgentTaskProps } from '../../../lib/constructs';
import {
  AgentEnvironment,
  AgentImage,
  AgentNetwork,
  AgentTask,
  AgentTaskProvider,
  NetworkMode,
} from '../../../lib/constructs';

/** A team's own CDK app, for the test that deploys it: what it deploys is JSON in this variable. */
export const APP_SETTINGS = 'AGENT_TASK_APP';

export interface AppSettings {
  readonly account: string;
  readonly region: string;
  /** Of the network that the hosts' ECS knows. */
  readonly vpcId: string;
  readonly subnetIds: string[];
  readonly securityGroupId: string;
  readonly tasks: Readonly<Record<string, Omit<AgentTaskProps, 'environment'>>>;
}

export const APP_STACK = 'reviews';

function main({ account, region, vpcId, subnetIds, securityGroupId, tasks }: AppSettings): void {
  const app = new App({ analyticsReporting: false, builtinCloudFormationValidation: false });
  const stack = new Stack(app, APP_STACK, { env: { account, region } });
  // The endpoint gives tasks a private address that is real only where they have no public one.
  const mode = NetworkMode.PRIVATE_NAT;
  const environment = new AgentEnvironment(stack, 'Environment', {
    network: AgentNetwork.fromAttributes(stack, 'Network', { vpcId, subnetIds, mode }),
    securityGroup: SecurityGroup.fromSecurityGroupId(stack, 'Group', securityGroupId, { mutable: false }),
    image: AgentImage.fromUri(stack, 'Image', 'registry.example.com/mngr/agent:1'),
    spot: false,
    reaper: false,
  });
  const resourceProvider = new AgentTaskProvider(stack, 'Provider', {
    environment,
    queryInterval: Duration.seconds(1),
  });
  for (const [id, props] of Object.entries(tasks)) {
    const task = new AgentTask(stack, id, { ...props, environment, resourceProvider });
    const { taskArn, hostId, address, port, knownHosts } = task;
    for (const [name, value] of Object.entries({
      TaskArn: taskArn,
      HostId: hostId,
      Address: address,
      Port: port,
      KnownHosts: knownHosts,
    }))
      new CfnOutput(stack, id + name, { value });
  }
  app.synth();
}

if (require.main === module) main(JSON.parse(process.env[APP_SETTINGS] ?? '{}') as AppSettings);
