export { AgentCluster } from './environment/agent-cluster';
export type { AgentClusterProps, IAgentCluster } from './environment/agent-cluster';
export { AgentEnvironment } from './environment/agent-environment';
export type { AgentEnvironmentProps } from './environment/agent-environment';
export type { IAgentEnvironment, IAgentTaskDefinition } from './environment/environment-interfaces';
export type { AgentEnvironmentAttributes, AgentEnvironmentStackOptions } from './environment/imported-environment';
export { AgentImage } from './environment/agent-image';
export type { AgentImageProps, IAgentImage } from './environment/agent-image';
export { AgentNetwork, NetworkMode } from './environment/agent-network';
export type {
  AgentNetworkAttributes,
  AgentNetworkFromVpcProps,
  AgentNetworkProps,
  IAgentNetwork,
} from './environment/agent-network';
export { AgentTask } from './agent-task/agent-task';
export type { AgentTaskProps } from './agent-task/agent-task-props';
export { AgentTaskProvider } from './agent-task/agent-task-provider';
export type { AgentTaskProviderProps, IAgentTaskProvider } from './agent-task/agent-task-provider';
export { AGENT_CONTAINER_NAME, AgentTaskDefinition, LOG_STREAM_PREFIX } from './environment/agent-task-definition';
export type { AgentTaskDefinitionProps } from './environment/agent-task-definition';
export type { IMetricsSource } from './operations/environment-metrics';
export { ExecAudit, ExecAuditDestination } from './exec/exec-audit';
export type { ExecAuditProps } from './exec/exec-audit';
export { grantExecChannel } from './exec/exec-channel';
export { DenySessionsPolicy, ExecPolicy, TunnelPolicy } from './exec/exec-policies';
export type { ExecPolicyProps, ExecTargetProps, TunnelPolicyProps } from './exec/exec-policies';
export { SESSION_DOCUMENTS } from './exec/session-statements';
export type { SessionDocument } from './exec/session-statements';
export { ExecutionRole } from './environment/execution-role';
export { Operations } from './operations/operations';
export type { OperationsOptions, OperationsProps } from './operations/operations';
export { OperationsAlarms } from './operations/operations-alarms';
export type { OperationsAlarmsProps } from './operations/operations-alarms';
export { OperationsDashboard } from './operations/operations-dashboard';
export type { OperationsDashboardProps } from './operations/operations-dashboard';
export { OperationsTopic } from './operations/operations-topic';
export type { OperationsTopicProps } from './operations/operations-topic';
export { OperatorPolicy } from './environment/operator-policy';
export type { OperatorPolicyProps } from './environment/operator-policy';
export { PrivateEndpoints } from './environment/private-endpoints';
export type { PrivateEndpointsProps } from './environment/private-endpoints';
export { SpendBudget } from './operations/spend-budget';
export type { CostAllocationTag, SpendBudgetProps } from './operations/spend-budget';
export { Reaper } from './reaper/reaper';
export type { ReaperOptions, ReaperProps } from './reaper/reaper';
export { SSH_WARNINGS, SshSecurityGroup } from './environment/ssh-security-group';
export type { SshSecurityGroupProps } from './environment/ssh-security-group';
export { TaskRole } from './environment/task-role';
export type { TaskRoleProps } from './environment/task-role';
