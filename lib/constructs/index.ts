export { AgentCluster } from './agent-cluster';
export type { AgentClusterProps, IAgentCluster } from './agent-cluster';
export { AgentEnvironment } from './agent-environment';
export type { AgentEnvironmentProps } from './agent-environment';
export { AgentImage } from './agent-image';
export type { AgentImageProps, IAgentImage } from './agent-image';
export { AgentNetwork, NetworkMode } from './agent-network';
export type {
  AgentNetworkAttributes,
  AgentNetworkFromVpcProps,
  AgentNetworkProps,
  IAgentNetwork,
} from './agent-network';
export { AgentTask } from './agent-task';
export type { AgentTaskProps } from './agent-task';
export { AgentTaskProvider } from './agent-task-provider';
export type { AgentTaskProviderProps } from './agent-task-provider';
export { AGENT_CONTAINER_NAME, AgentTaskDefinition, LOG_STREAM_PREFIX } from './agent-task-definition';
export type { AgentTaskDefinitionProps } from './agent-task-definition';
export type { IMetricsSource } from './environment-metrics';
export { ExecutionRole } from './execution-role';
export { Operations } from './operations';
export type { OperationsOptions, OperationsProps } from './operations';
export { OperationsAlarms } from './operations-alarms';
export type { OperationsAlarmsProps } from './operations-alarms';
export { OperationsDashboard } from './operations-dashboard';
export type { OperationsDashboardProps } from './operations-dashboard';
export { OperationsTopic } from './operations-topic';
export type { OperationsTopicProps } from './operations-topic';
export { OperatorPolicy } from './operator-policy';
export type { OperatorPolicyProps } from './operator-policy';
export { PrivateEndpoints } from './private-endpoints';
export type { PrivateEndpointsProps } from './private-endpoints';
export { SpendBudget } from './spend-budget';
export type { CostAllocationTag, SpendBudgetProps } from './spend-budget';
export { Reaper } from './reaper';
export type { ReaperOptions, ReaperProps } from './reaper';
export { SSH_WARNINGS, SshSecurityGroup } from './ssh-security-group';
export type { SshSecurityGroupProps } from './ssh-security-group';
export { TaskRole } from './task-role';
export type { TaskRoleProps } from './task-role';
