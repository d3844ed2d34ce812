import 'aws-cdk-lib/testhelpers/jest-autoclean';
import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { IAgentImage } from '../../../lib/constructs';
import { context as featureFlags } from '../../../cdk.json';
import { ENV } from './stack-variants';

/** A stack of somebody who uses single constructs in an app of their own. */
export function emptyStack(): Stack {
  const app = new App({ context: featureFlags, builtinCloudFormationValidation: false, analyticsReporting: false });
  app.node.setContext('@aws-cdk/core:annotationsInValidationReport', false);
  return new Stack(app, 'Team', { env: ENV });
}

export const existingVpc = (scope: Construct): IVpc =>
  Vpc.fromVpcAttributes(scope, 'TeamVpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    publicSubnetIds: ['subnet-a', 'subnet-b'],
    privateSubnetIds: ['subnet-c', 'subnet-d'],
  });

/** An image that needs no build. */
export class RegistryImage extends Construct implements IAgentImage {
  readonly imageUri = 'registry.example.com/mngr/agent:1';
  readonly containerImage = ContainerImage.fromRegistry(this.imageUri);
}
