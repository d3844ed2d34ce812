import type { Construct } from 'constructs';
import { SandboxEnvironment } from '../constructs/sandbox/sandbox-environment';
import type { MngrFargateStackProps } from './mngr-fargate-stack';
import { MngrFargateStack } from './mngr-fargate-stack';
import { addSandboxOutputs } from './sandbox-outputs';
import { sandboxPropsOf } from './sandbox-props';

/** An environment with sandboxes beside its hosts, in the same network. What is not of sandboxes is as without them. */
export class SandboxServiceStack extends MngrFargateStack {
  readonly sandboxes: SandboxEnvironment;

  constructor(scope: Construct, id: string, props: MngrFargateStackProps) {
    super(scope, id, props);
    const { settings } = props;
    this.sandboxes = new SandboxEnvironment(this, 'Sandboxes', sandboxPropsOf(this, this.agents.network, settings));
    // ECS's service-linked role comes with the environment's own cluster.
    this.sandboxes.cluster.node.addDependency(this.agents.cluster);
    addSandboxOutputs(this, this.sandboxes);
  }
}
