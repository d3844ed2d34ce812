# The task's ARN, from the ECS task metadata endpoint (version 4: GET <uri>/task). Sourced.

METADATA_TIMEOUT_SECONDS=0.5

# start_task_arn: asks in the background while the boot continues. Does nothing outside ECS.
start_task_arn() {
  task_arn_pid=''
  rm -f "$run_directory/task-arn"
  if [[ -z ${ECS_CONTAINER_METADATA_URI_V4-} ]]; then return; fi
  curl -fsS --noproxy '*' --max-time "$METADATA_TIMEOUT_SECONDS" "$ECS_CONTAINER_METADATA_URI_V4/task" 2>/dev/null |
    jq -r '.TaskARN // empty' >"$run_directory/task-arn" 2>/dev/null &
  task_arn_pid=$!
}

# read_task_arn: sets task_arn, which is empty if the endpoint didn't answer in time.
read_task_arn() {
  task_arn=''
  if [[ -z $task_arn_pid ]]; then return; fi
  wait "$task_arn_pid" || log 'the ECS metadata endpoint did not answer: data.json has no task_arn'
  IFS= read -r task_arn <"$run_directory/task-arn" || true
  if [[ ! $task_arn =~ ^[A-Za-z0-9:/_-]*$ ]]; then task_arn=''; fi
}
