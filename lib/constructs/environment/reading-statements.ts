import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { allow } from '../checks/statement';

/** Lets a policy read one log group. `whose` says whose logs they are: `hosts`. */
export function readLogs(
  construct: IConstruct,
  sid: string,
  { logGroupName, whose }: { readonly logGroupName: string; readonly whose: string },
): PolicyStatement {
  const logGroup = Stack.of(construct).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const actions = ['logs:DescribeLogStreams', 'logs:FilterLogEvents', 'logs:GetLogEvents'];
  const wildcard = `Every log stream of the one log group of the ${whose}.`;
  return allow(construct, sid, actions, [logGroup, `${logGroup}:*`], { wildcard });
}

/** Lets a policy read the outputs of its own stack, from which settings are taken. */
export function readStackOutputs(construct: IConstruct): PolicyStatement {
  const stack = Stack.of(construct);
  const resourceName = `${stack.stackName}/*`;
  const own = stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName });
  const wildcard = 'The part behind the name of this one stack is an id that CloudFormation makes up.';
  return allow(construct, 'ReadStackOutputs', ['cloudformation:DescribeStacks'], [own], { wildcard });
}
