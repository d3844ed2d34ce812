import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic, TopicPolicy } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface OperationsTopicProps {
  /**
   * Addresses that get a message each time. AWS sends each one a link to confirm first.
   *
   * @default - none: subscribe to the topic by other means
   */
  readonly emails?: string[];
}

/**
 * Where alarms are sent to: a topic that is encrypted with a key of its own and takes messages over TLS only.
 * CloudWatch can't publish to a topic with the AWS managed key, since that key's policy doesn't let it.
 */
export class OperationsTopic extends Construct {
  readonly topic: Topic;
  readonly key: Key;

  /** Who may publish. What publishes while it is being made must be made after this. */
  readonly policy: TopicPolicy;

  constructor(scope: Construct, id: string, props: OperationsTopicProps = {}) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Alarms of mngr hosts',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(7),
    });
    this.topic = new Topic(this, 'Topic', { displayName: 'Alarms of mngr hosts', masterKey: this.key });
    this.policy = new TopicPolicy(this, 'Policy', { topics: [this.topic], enforceSSL: true });
    for (const email of props.emails ?? []) this.topic.addSubscription(new EmailSubscription(email));
    this.allow('cloudwatch.amazonaws.com', { limitKeyToAccount: true });
  }

  /**
   * Lets AWS Budgets publish. It isn't documented that Budgets passes the account when it uses the key, so the key's
   * policy doesn't require the account; the topic's does (AWS Cost Management guide, "Creating an Amazon SNS topic for
   * budget notifications").
   */
  allowBudgets(): void {
    this.allow('budgets.amazonaws.com', { limitKeyToAccount: false });
  }

  /** A topic with a policy of its own has lost the default one, which lets the account's alarms in. */
  private allow(service: string, { limitKeyToAccount }: { limitKeyToAccount: boolean }): void {
    const principals = [new ServicePrincipal(service)];
    const conditions = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    this.policy.document.addStatements(
      new PolicyStatement({ principals, actions: ['sns:Publish'], resources: [this.topic.topicArn], conditions }),
    );
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: limitKeyToAccount ? conditions : undefined,
      }),
    );
  }
}
