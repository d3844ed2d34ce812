/** The launcher library: hosts on ECS Fargate, without the CLI. */
export * from './hosts';
