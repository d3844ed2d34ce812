import { Duration } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { OperationsOptions } from '../../../lib/constructs';
import { Operations } from '../../../lib/constructs';
import { emptyStack } from './construct-stack';

/** A function in the reaper's place; its template is not looked at. */
export const someFunction = (scope: Stack): IFunction =>
  new LambdaFunction(scope, 'Reaper', {
    code: Code.fromInline('exports.handler = async () => undefined;'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_22_X,
  });

/** Options, or a function that makes them in the stack. */
export type Options = OperationsOptions | ((stack: Stack) => OperationsOptions);

/** Operations of a family `mngr-task` in a stack of their own. */
export function operationsWith(
  given: Options,
  { spot = true, withReaper = true, interval = Duration.minutes(5) } = {},
) {
  const stack = emptyStack();
  const options = typeof given === 'function' ? given(stack) : given;
  const reaper = withReaper ? { handler: someFunction(stack), interval } : undefined;
  return { stack, operations: new Operations(stack, 'Operations', { ...options, family: 'mngr-task', spot, reaper }) };
}

/** A widget of a dashboard, as far as tests look at it. */
export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly title: string; readonly metrics?: unknown[][]; readonly alarms?: unknown[] };
}

/** The one dashboard of a template; what only CloudFormation knows is put into its body as text. */
export function dashboardIn(template: Template): { readonly name: string; readonly widgets: readonly Widget[] } {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const { DashboardName, DashboardBody } = dashboard?.Properties as { DashboardName: string; DashboardBody: unknown };
  const parts = (DashboardBody as { 'Fn::Join': [string, (string | object)[]] })['Fn::Join'][1];
  const body = parts.map((part) => (typeof part === 'string' ? part : 'resolved')).join('');
  return { name: DashboardName, widgets: (JSON.parse(body) as { widgets: Widget[] }).widgets };
}
