import { CfnResource, CrossStackReferences, ReferenceStrength } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Lets other stacks read what this construct makes from its stack's outputs each time they are deployed, without an
 * export: CloudFormation refuses to change a value that is exported and in use, so a new image or a changed setting of an
 * environment could not be deployed while a stack with hosts in it exists.
 */
export function referenceWeakly(construct: IConstruct): void {
  for (const resource of construct.node.findAll().filter(CfnResource.isCfnResource)) {
    CrossStackReferences.of(resource).produce(ReferenceStrength.WEAK);
  }
}
