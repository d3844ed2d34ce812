import type { Construct } from 'constructs';
import { pullProblem } from '../constructs/environment/agent-image';
import { SandboxEnvironment } from '../constructs/sandbox/sandbox-environment';
import { SandboxService } from '../constructs/sandbox/sandbox-service';
import type { MngrFargateStackProps } from './mngr-fargate-stack';
import { MngrFargateStack } from './mngr-fargate-stack';
import { addSandboxOutputs, addServiceOutputs } from './sandbox-outputs';
import { sandboxPropsOf, sandboxServicePropsOf } from './sandbox-props';
import { networkModeOf } from './sandbox-settings';

/** An environment with sandboxes beside its hosts, in the same network. What is not of sandboxes is as without them. */
export class SandboxServiceStack extends MngrFargateStack {
  readonly sandboxes: SandboxEnvironment;

  /** Undefined without a certificate for it: then the sandboxes are for a service that somebody runs elsewhere in the network. */
  readonly sandboxService: SandboxService | undefined;

  constructor(scope: Construct, id: string, props: MngrFargateStackProps) {
    super(scope, id, props);
    const { settings } = props;
    this.sandboxes = new SandboxEnvironment(this, 'Sandboxes', sandboxPropsOf(this, this.agents.network, settings));
    // ECS's service-linked role comes with the environment's own cluster.
    this.sandboxes.cluster.node.addDependency(this.agents.cluster);
    addSandboxOutputs(this, this.sandboxes);

    const parts = { sandboxes: this.sandboxes, alarmTopic: this.agents.operations.topic };
    const serviceProps = sandboxServicePropsOf(this, parts, settings);
    const images = [this.sandboxes.image, serviceProps?.image].filter((image) => image !== undefined);
    this.node.addValidation({
      validate: () => images.flatMap((image) => pullProblem(image, networkModeOf(settings)) ?? []),
    });
    if (serviceProps === undefined) return;
    this.sandboxService = new SandboxService(this, 'SandboxService', serviceProps);
    addServiceOutputs(this, this.sandboxService);
  }
}
