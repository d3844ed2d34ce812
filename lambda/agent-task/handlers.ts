import { AGENT_TASK_ATTRIBUTES } from '../../lib/contract/agent-task';
import type { AgentTaskAttributes } from '../../lib/contract/agent-task';
import { isMngrFargateError, MngrFargateError } from '../../lib/contract/errors';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import { providerConfigSchema } from '../../lib/contract/provider-config';
import type { HostProbe, StackHosts, StackHostState, StackOwner } from '../../lib/hosts/lifecycle/stack-hosts';
import { knownHostsLine } from '../../lib/ssh/known-hosts';
import type { Begun, Progress, ResourceEvent, WaitingEvent } from './events';
import { clusterOf } from './events';
import { failure } from './failure';
import { clientTokenOf, configOf, hostRequestOf, propertiesOf } from './request';

/** What the handlers depend on; index.ts passes the real implementations. */
export interface HandlerDependencies {
  readonly region: string;
  readonly hosts: (owner: StackOwner, config: ProviderConfig, provider?: string) => StackHosts;
  readonly probe: HostProbe;
  /** Writes one line of the function's log. */
  readonly log: (line: { readonly notice: string } & Readonly<Record<string, unknown>>) => void;
}

/**
 * The two handlers of the custom resource. `onEvent` makes the only call that changes something, and can be repeated;
 * `isComplete` waits, checks and reports. The physical id is the task's ARN, so CloudFormation itself stops the task of a
 * failed or replaced resource.
 */
export class AgentTaskHandlers {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async onEvent(event: ResourceEvent): Promise<Begun> {
    return event.RequestType === 'Delete' ? this.beginDelete(event) : this.beginLaunch(event);
  }

  async isComplete(event: WaitingEvent): Promise<Progress> {
    return event.RequestType === 'Delete' ? this.hasStopped(event) : this.isReady(event);
  }

  /** Must not throw after a successful RunTask: the framework would forget the task. */
  private async beginLaunch(event: ResourceEvent): Promise<Begun> {
    try {
      const request = hostRequestOf(event);
      const config = configOf(propertiesOf(event), this.dependencies.region);
      return await this.withHosts(event, config, async (hosts) => {
        const { PhysicalResourceId: present = '' } = event;
        const kept = clusterOf(present) === config.ecs_cluster && (await hosts.runs(present, request.digest));
        const { taskArn, launched } = kept
          ? { taskArn: present, launched: false }
          : await hosts.launch(request, clientTokenOf(event));
        this.tell(event, launched ? 'host-launched' : 'host-kept', { taskArn });
        return begun(taskArn, launched);
      });
    } catch (error) {
      this.tell(event, 'launch-failed', { problem: (error as Error).message });
      throw failure(error);
    }
  }

  /** Never throws: `isComplete` tries again to stop a task that can't be stopped now. */
  private async beginDelete(event: ResourceEvent): Promise<Begun> {
    const physicalId = event.PhysicalResourceId ?? '';
    const config = this.configOfTask(physicalId);
    if (config === undefined) return begun(physicalId, false);
    try {
      await this.withHosts(event, config, (hosts) => hosts.stop(physicalId, STOP_REASON));
      this.tell(event, 'host-stopped', { taskArn: physicalId });
    } catch (error) {
      this.tell(event, 'stop-failed', { taskArn: physicalId, problem: (error as Error).message });
    }
    return begun(physicalId, false);
  }

  private async isReady(event: WaitingEvent): Promise<Progress> {
    const { PhysicalResourceId: taskArn, Launched: launched } = event;
    const properties = propertiesOf(event);
    const config = configOf(properties, this.dependencies.region);
    return this.withHosts(event, config, async (hosts) => {
      try {
        const state = await hosts.look(taskArn, this.dependencies.probe);
        if (!state.ready) {
          refuseLate(event, properties.Timeout, state.waitingFor);
          return { IsComplete: false };
        }
        if (!launched)
          await hosts.retag(taskArn, { tags: properties.Tags, maxAge: properties.MaxAge }, formerTagsOf(event));
        this.tell(event, 'host-ready', { taskArn, hostId: state.hostId });
        return { IsComplete: true, Data: attributesOf(state) };
      } catch (error) {
        const problem = (error as Error).message;
        if (mayPass(error) && !isLate(event, properties.Timeout)) {
          this.tell(event, 'look-failed', { taskArn, problem });
          return { IsComplete: false };
        }
        this.tell(event, 'host-failed', { taskArn, problem });
        throw failure(error, launched ? await this.stopFailed(hosts, taskArn) : undefined);
      }
    });
  }

  /** CloudFormation stops the task too, but an update that is rolled back may only know the older task. */
  private async stopFailed(hosts: StackHosts, taskArn: string): Promise<string | undefined> {
    try {
      await hosts.stop(taskArn, 'the stack could not use it');
      return undefined;
    } catch (error) {
      return `and task ${taskArn} could not be stopped: ${(error as Error).message}`;
    }
  }

  /**
   * Waits until the task has stopped, since its network interface would keep subnets and security groups from being
   * deleted. Only a denied call ends the wait: a deletion that reported success would leave the task running.
   */
  private async hasStopped(event: WaitingEvent): Promise<Progress> {
    const { PhysicalResourceId: taskArn } = event;
    const config = this.configOfTask(taskArn);
    if (config === undefined) return { IsComplete: true };
    try {
      const stopped = await this.withHosts(event, config, (hosts) =>
        hosts.hasStopped(taskArn, STOP_REASON, Date.parse(event.BegunAt)),
      );
      return { IsComplete: stopped };
    } catch (error) {
      this.tell(event, 'stop-failed', { taskArn, problem: (error as Error).message });
      if (isMngrFargateError(error) && error.code === 'denied') throw failure(error);
      return { IsComplete: false };
    }
  }

  /**
   * The settings needed to stop a task, from its ARN alone: the properties may name another cluster, or come from a
   * version that this one doesn't understand. Undefined if the text is not a task's ARN.
   */
  private configOfTask(taskArn: string): ProviderConfig | undefined {
    const cluster = clusterOf(taskArn);
    if (cluster === undefined) return undefined;
    return providerConfigSchema.parse({ aws_region: this.dependencies.region, ecs_cluster: cluster });
  }

  private async withHosts<T>(
    event: ResourceEvent,
    config: ProviderConfig,
    work: (hosts: StackHosts) => Promise<T>,
  ): Promise<T> {
    const { Provider: provider, Owner: owner = event.LogicalResourceId } = event.ResourceProperties as {
      Provider?: string;
      Owner?: string;
    };
    const hosts = this.dependencies.hosts({ stackId: event.StackId, resource: owner }, config, provider);
    try {
      return await work(hosts);
    } finally {
      hosts.close();
    }
  }

  private tell(event: ResourceEvent, notice: string, members: Readonly<Record<string, unknown>>): void {
    const { RequestType: request, RequestId: requestId, LogicalResourceId: resource } = event;
    this.dependencies.log({ notice, request, requestId, resource, ...members });
  }
}

/** Keys that the properties gave before this update. */
const formerTagsOf = ({ OldResourceProperties: old }: ResourceEvent): string[] =>
  Object.keys((old as { Tags?: Record<string, string> } | undefined)?.Tags ?? {});

const STOP_REASON = 'removed with its stack';

const begun = (PhysicalResourceId: string, Launched: boolean): Begun => ({
  PhysicalResourceId,
  Launched,
  BegunAt: new Date().toISOString(),
});

const isLate = ({ BegunAt }: Begun, timeoutSeconds: number): boolean =>
  Date.now() > Date.parse(BegunAt) + timeoutSeconds * 1000;

function refuseLate(event: WaitingEvent, timeoutSeconds: number, waitingFor: string): void {
  if (!isLate(event, timeoutSeconds)) return;
  throw new MngrFargateError('timed-out', `the host was not ready within ${timeoutSeconds} s: ${waitingFor}`, {
    hint: 'see its log in the environment’s log group, or set a longer `timeout`',
  });
}

/** Errors that may go away by themselves, since a call to AWS failed. All others are final. */
const PASSING: ReadonlySet<string> = new Set(['unreachable', 'timed-out', 'aborted', 'failed']);
const mayPass = (error: unknown): boolean => !isMngrFargateError(error) || PASSING.has(error.code);

function attributesOf(state: Extract<StackHostState, { ready: true }>): AgentTaskAttributes {
  const { hostId, publicIp, privateIp, host, port, hostKey } = state;
  return {
    [AGENT_TASK_ATTRIBUTES.hostId]: hostId,
    [AGENT_TASK_ATTRIBUTES.publicAddress]: publicIp ?? '',
    [AGENT_TASK_ATTRIBUTES.privateAddress]: privateIp ?? '',
    [AGENT_TASK_ATTRIBUTES.address]: host,
    [AGENT_TASK_ATTRIBUTES.port]: String(port),
    [AGENT_TASK_ATTRIBUTES.hostKey]: hostKey,
    [AGENT_TASK_ATTRIBUTES.knownHosts]: knownHostsLine(host, port, hostKey),
  };
}
