import { Template } from 'aws-cdk-lib/assertions';
import { ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { AgentCluster } from '../../../lib/constructs';
import { emptyStack, existingVpc } from '../../support/cdk/construct-stack';

describe('AgentCluster', () => {
  it('is called mngr, has both kinds of Fargate capacity, and measures its tasks', () => {
    const stack = emptyStack();
    new AgentCluster(stack, 'Cluster', { vpc: existingVpc(stack) });
    const template = Template.fromStack(stack);

    template.hasResourceProperties('AWS::ECS::Cluster', {
      ClusterName: 'mngr',
      ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }],
    });
    template.hasResourceProperties('AWS::ECS::ClusterCapacityProviderAssociations', {
      CapacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    });
  });

  it('goes without Spot, with another name, and without metrics when asked', () => {
    const stack = emptyStack();
    new AgentCluster(stack, 'Cluster', {
      vpc: existingVpc(stack),
      clusterName: 'team-mngr',
      spot: false,
      containerInsights: ContainerInsights.DISABLED,
    });
    const template = Template.fromStack(stack);

    template.resourceCountIs('AWS::ECS::ClusterCapacityProviderAssociations', 0);
    template.hasResourceProperties('AWS::ECS::Cluster', {
      ClusterName: 'team-mngr',
      ClusterSettings: [{ Name: 'containerInsights', Value: 'disabled' }],
    });
  });

  it('can be one that exists, by its name', () => {
    const stack = emptyStack();
    const cluster = AgentCluster.fromClusterName(stack, 'Cluster', 'team');

    expect(cluster.clusterName).toBe('team');
    expect(cluster.clusterArn).toBe('arn:aws:ecs:eu-central-1:123456789012:cluster/team');
  });
});
