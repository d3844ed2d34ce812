import type { StackProps } from 'aws-cdk-lib';
import { Fn, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AgentEnvironment } from '../constructs/environment/agent-environment';
import type { Settings } from './context';
import { addOutputs } from './environment-outputs';
import { environmentPropsOf } from './environment-props';

export interface MngrFargateStackProps extends StackProps {
  readonly settings: Settings;
}

/** One environment and its outputs. */
export class MngrFargateStack extends Stack {
  readonly agents: AgentEnvironment;

  constructor(scope: Construct, id: string, props: MngrFargateStackProps) {
    super(scope, id, { description: 'AI coding agents on AWS Fargate (mngr-fargate)', ...props });
    this.agents = new AgentEnvironment(this, 'Environment', environmentPropsOf(this, props.settings));
    addOutputs(this, this.agents, props.settings);
  }

  /**
   * CloudFormation picks the zones when it deploys, so the synthesis needs no lookup and no credentials. It lists the
   * zones in the order of their names.
   */
  override get availabilityZones(): string[] {
    return Array.from({ length: MOST_ZONES }, (_, index) => Fn.select(index, Fn.getAzs()));
  }
}

/** No region has more zones (us-east-1). */
const MOST_ZONES = 6;
