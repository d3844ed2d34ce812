import type { Assembly } from '../../../lib/local/template/assembly';
import type { TemplateResource } from '../../../lib/local/template/stack';
import { CHANNEL_POLICY, execAssembly } from './exec-endpoint';
import { SMALL_ASSEMBLY } from './local-endpoint-template';

const resource = (name: string): TemplateResource => SMALL_ASSEMBLY.template.Resources[name] as TemplateResource;

/** What a task's role needs to log sessions. */
export const LOG_ACTIONS = [
  'logs:DescribeLogGroups',
  'logs:CreateLogStream',
  'logs:DescribeLogStreams',
  'logs:PutLogEvents',
];
/** Sessions are logged to the group `/mngr/audit`. */
export const OVERRIDE = { Logging: 'OVERRIDE', LogConfiguration: { CloudWatchLogGroupName: '/mngr/audit' } };

/** The stack with a cluster that logs sessions as the configuration says, and a task role that may do these actions. */
export function auditedAssembly(configuration: object, actions: readonly string[] = LOG_ACTIONS): Assembly {
  const cluster = resource('Cluster');
  const role = resource('TaskRole');
  const statement = { Effect: 'Allow', Action: actions, Resource: '*' };
  const policy = { PolicyName: 'logs', PolicyDocument: { Statement: [statement] } };
  return execAssembly({
    Audit: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/mngr/audit' } },
    Cluster: {
      ...cluster,
      Properties: { ...cluster.Properties, Configuration: { ExecuteCommandConfiguration: configuration } },
    },
    TaskRole: { ...role, Properties: { ...role.Properties, Policies: [CHANNEL_POLICY, policy] } },
  });
}
