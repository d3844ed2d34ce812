import type { StartSessionRequest, StartSessionResponse } from '@aws-sdk/client-ssm';
import { PortPlugin } from '../../agent/port-plugin';
import { AwsError } from '../../wire/aws-error';
import type { World } from '../../world';
import { nameFrom } from '../ecs/arns';
import { ecsContext } from '../ecs/context';
import { resourceTagContext } from '../ecs/tags';
import type { Call } from '../service';
import { propertiesOf } from './documents';
import { sessions, sessionSuffix, streamOf } from './sessions';

/** `ecs:<cluster>_<task id>_<runtime id>`; a cluster's name may have underscores. */
const ECS_TARGET = /^ecs:(.+)_([0-9a-f]{32})_([^_]+)$/;

export const startSession =
  (world: World) =>
  (request: StartSessionRequest, call: Call): StartSessionResponse => {
    const registry = world.part(sessions);
    const { Target: target = '', DocumentName: documentName = 'SSM-SessionManagerRunShell', Reason: reason } = request;
    authorize(world, target, documentName, call);
    const properties = propertiesOf(documentName, request.Parameters ?? {});
    const agent = registry.agentOf(target);
    if (agent === undefined) throw new AwsError('TargetNotConnected', `${target} is not connected.`);
    const { portNumber, host } = properties;
    const plugin = new PortPlugin({ properties, dialer: () => agent.container.dialer(Number(portNumber), host) });
    const session = registry.start(agent, plugin, {
      id: `${nameFrom(call.principal.arn)}-${sessionSuffix()}`,
      target,
      owner: call.principal.arn,
      ownerId: call.principal.userId,
      documentName,
      reason,
    });
    const { sessionId, streamUrl, tokenValue } = streamOf(session, call.host);
    return { SessionId: sessionId, StreamUrl: streamUrl, TokenValue: tokenValue };
  };

/** On the target and on the document (Service Authorization Reference, StartSession). */
function authorize(world: World, target: string, documentName: string, call: Call): void {
  const { region, accountId } = world.place;
  const action = 'ssm:StartSession';
  const [, cluster, taskId] = ECS_TARGET.exec(target) ?? [];
  if (cluster === undefined || taskId === undefined) {
    call.authorize({ action, resource: `arn:aws:ec2:${region}:${accountId}:instance/${target}`, context: {} });
  } else {
    const { arns, tasks } = world.part(ecsContext);
    const tags = tasks.get(cluster, taskId)?.tags ?? [];
    call.authorize({ action, resource: arns.task(cluster, taskId), context: resourceTagContext(tags) });
  }
  const owner = documentName.startsWith('AWS-') ? '' : accountId;
  call.authorize({ action, resource: `arn:aws:ssm:${region}:${owner}:document/${documentName}`, context: {} });
}
