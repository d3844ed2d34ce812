import type { Check, Finding } from '../finding';

const ENDING = new Set(['DEACTIVATING', 'STOPPING', 'DEPROVISIONING', 'STOPPED', 'DELETED']);

/** ECS Exec's oldest platform version and ECS agent (ECS developer guide). */
const LEAST_PLATFORM = [1, 4, 0];
const FARGATE = new Set(['FARGATE', 'FARGATE_SPOT']);

const taskState: Check = {
  id: 'task-state',
  async run(facts) {
    const { lastStatus = '', desiredStatus, stoppedReason, stopCode } = await facts.task();
    const evidence = { lastStatus, desiredStatus, stopCode, stoppedReason };
    if (ENDING.has(lastStatus) || desiredStatus === 'STOPPED') {
      return [
        {
          id: 'task-state',
          severity: 'error',
          message: `the task ${lastStatus === 'STOPPED' ? 'has stopped' : 'is stopping'}${stoppedReason === undefined ? '' : `: ${stoppedReason}`}`,
          evidence,
          fix: `mngr-fargate tasks --cluster ${facts.target.cluster} --family ${facts.target.family}`,
        },
      ];
    }
    if (lastStatus === 'RUNNING') return [];
    const message = `the task is ${lastStatus}: it can be reached once it is running`;
    return [{ id: 'task-state', severity: 'warning', message, evidence, fix: null }];
  },
};

const execDisabled: Check = {
  id: 'exec-disabled',
  async run(facts) {
    const { enableExecuteCommand } = await facts.task();
    if (enableExecuteCommand === true) return [];
    const { cluster, service } = facts.target;
    return [
      {
        id: 'exec-disabled',
        severity: 'error',
        message: 'the task was started without ECS Exec, which cannot be turned on in a running task',
        evidence: { enableExecuteCommand: enableExecuteCommand ?? false },
        fix:
          service === null
            ? 'start it again with `aws ecs run-task --enable-execute-command …`'
            : `aws ecs update-service --cluster ${cluster} --service ${service} --enable-execute-command --force-new-deployment --region ${facts.region}`,
      },
    ];
  },
};

const platformVersion: Check = {
  id: 'platform-version',
  async run(facts) {
    const { launchType, capacityProviderName = '', platformVersion: version, platformFamily = '' } = await facts.task();
    const isFargate = launchType === 'FARGATE' || FARGATE.has(capacityProviderName);
    if (!isFargate || version === undefined || /windows/i.test(platformFamily)) return [];
    const parts = version.split('.').map(Number);
    const difference = LEAST_PLATFORM.map((least, index) => (parts[index] ?? 0) - least).find((one) => one !== 0);
    if (difference === undefined || difference > 0 || parts.some(Number.isNaN)) return [];
    return [
      {
        id: 'platform-version',
        severity: 'error',
        message: `Fargate's platform version ${version} has no ECS Exec: it needs 1.4.0 or later`,
        evidence: { platformVersion: version },
        fix: 'start the task with platform version LATEST',
      },
    ];
  },
};

const execAgent: Check = {
  id: 'exec-agent',
  async run(facts) {
    const task = await facts.task();
    if (task.enableExecuteCommand !== true || task.lastStatus !== 'RUNNING') return [];
    const { container } = facts.target;
    const described = task.containers?.find(({ name }) => name === container);
    const agent = described?.managedAgents?.find(({ name }) => name === 'ExecuteCommandAgent');
    const evidence = {
      container,
      state: agent?.lastStatus ?? null,
      reason: agent?.reason ?? null,
      lastStartedAt: agent?.lastStartedAt?.toISOString() ?? null,
    };
    if (agent?.lastStatus === 'RUNNING') return [];
    if (agent?.lastStatus === 'PENDING') {
      const message = `ECS Exec's agent in container ${container} is starting: try again in a few seconds`;
      return [{ id: 'exec-agent', severity: 'warning', message, evidence, fix: null }];
    }
    const why = agent?.reason === undefined ? '' : `: ${agent.reason}`;
    return [
      {
        id: 'exec-agent',
        severity: 'error',
        message:
          agent === undefined
            ? `container ${container} has no agent of ECS Exec`
            : `ECS Exec's agent in container ${container} has stopped${why}`,
        evidence,
        fix: `the task has to be replaced: aws ecs stop-task --cluster ${facts.target.cluster} --task ${facts.target.taskId} --region ${facts.region}`,
      },
    ];
  },
};

const pidMode: Check = {
  id: 'pid-mode',
  async run(facts) {
    const { pidMode: mode, containerDefinitions = [] } = await facts.definition();
    if (mode !== 'task' || containerDefinitions.length < 2) return [];
    return [
      {
        id: 'pid-mode',
        severity: 'warning',
        message: 'the containers share their processes (pidMode task), so ECS Exec works in one of them only',
        evidence: { pidMode: mode, containers: containerDefinitions.map(({ name }) => name) },
        fix: 'leave pidMode out of the task definition',
      },
    ];
  },
};

const initProcess: Check = {
  id: 'init-process',
  async run(facts): Promise<Finding[]> {
    const { linuxParameters, name } = await facts.containerDefinition();
    if (name === undefined || linuxParameters?.initProcessEnabled === true) return [];
    return [
      {
        id: 'init-process',
        severity: 'info',
        message: 'no init process cleans up what sessions leave behind in the container',
        evidence: { initProcessEnabled: linuxParameters?.initProcessEnabled ?? false },
        fix: 'set linuxParameters.initProcessEnabled to true in the task definition',
      },
    ];
  },
};

const readOnlyRoot: Check = {
  id: 'read-only-root',
  async run(facts) {
    const { readonlyRootFilesystem } = await facts.containerDefinition();
    if (readonlyRootFilesystem !== true) return [];
    return [
      {
        id: 'read-only-root',
        severity: 'error',
        message: "the container's root file system is read-only, and ECS Exec's agent has to write to it",
        evidence: { readonlyRootFilesystem },
        fix: 'set readonlyRootFilesystem to false in the task definition',
      },
    ];
  },
};

/** Folders that the agent uses in a container. */
const AGENT_FOLDERS = ['/managed-agents', '/var/lib/amazon', '/var/log/amazon'];

const agentFolders: Check = {
  id: 'agent-folders',
  async run(facts) {
    const { mountPoints = [] } = await facts.containerDefinition();
    const over = mountPoints.filter(({ containerPath = '' }) =>
      AGENT_FOLDERS.some((folder) => containerPath === folder || containerPath.startsWith(`${folder}/`)),
    );
    if (over.length === 0) return [];
    return [
      {
        id: 'agent-folders',
        severity: 'error',
        message: "a volume hides folders of ECS Exec's agent",
        evidence: { mountPoints: over.map(({ containerPath }) => containerPath) },
        fix: 'mount the volume somewhere else',
      },
    ];
  },
};

/** What the task itself is. */
export const TASK_CHECKS: readonly Check[] = [
  taskState,
  execDisabled,
  platformVersion,
  execAgent,
  pidMode,
  initProcess,
  readOnlyRoot,
  agentFolders,
];
