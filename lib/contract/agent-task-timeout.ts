/** Seconds that an AgentTask's host may take until it is ready: by default, and at most, since CloudFormation waits for an hour. */
export const AGENT_TASK_TIMEOUT = { default: 900, max: 3300 } as const;
