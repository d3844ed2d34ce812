/** Any ECS task: finding it and one of its containers. */
export { EcsTasks } from './ecs-tasks';
export type { FindOptions } from './find';
export { findTasks, stoppedError } from './find';
export type { TaskContainer, TaskSummary } from './model';
export { isLive, taskSummary } from './model';
export type { Chooser, ResolveOptions, Target } from './resolve';
export { resolveTarget, resolveTask, targetOf } from './resolve';
export type { GivenSelector, TaskSelector } from './selector';
export { placeInSelector, selectorText } from './selector';
export type { ServiceTarget } from './service-targets';
export { serviceTargets } from './service-targets';
export type { TaskLogLine, TaskLogOptions } from './logs/task-logs';
export { taskLogs } from './logs/task-logs';
export { diagnose, hasErrors } from './doctor/diagnose';
export { explainExecFailure } from './doctor/explain';
export type { Diagnosis, Finding, Severity, Unchecked } from './doctor/finding';
export type { SshAddress } from './doctor/direct-way';
export { withDirectWay } from './doctor/direct-way';
