/** How long an AgentTask's host may take to become ready, in seconds. CloudFormation itself waits for at most an hour. */
export const AGENT_TASK_TIMEOUT = { default: 900, max: 3300 } as const;
