import type { MngrFargateErrorCode } from '../../lib/contract/errors';

/** Errors of AWS, by name and message, that a user reads with the same code and hint. */
export interface AwsErrors {
  readonly code: MngrFargateErrorCode;
  readonly hint: string | undefined;
  readonly errors: readonly (readonly [name: string, message: string])[];
}

/** AWS's own text of a refusal. It holds words of others: "on resource:", a quota's name. */
const REFUSED =
  'User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:eu-west-1:123456789012:task-definition/mngr:3';

/** Every error of the calls that we make, in AWS's words, and what a user is told about it. */
export const AWS_ERRORS: readonly AwsErrors[] = [
  {
    code: 'denied',
    hint: 'use the operator role or policy of the environment, which has every permission that the launcher needs (outputs `OperatorRoleArn`, `OperatorPolicyArn`)',
    errors: [
      ['AccessDeniedException', `${REFUSED} because no identity-based policy allows the ecs:RunTask action`],
      [
        'AccessDenied',
        'User: arn:aws:iam::123456789012:user/ada is not authorized to perform: cloudformation:DescribeStacks',
      ],
      ['NotAuthorized', 'You do not have permission to perform this action.'],
      [
        'UnauthorizedOperation',
        'You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ada is not authorized to perform: ec2:DescribeNetworkInterfaces because no identity-based policy allows the ec2:DescribeNetworkInterfaces action',
      ],
    ],
  },
  {
    code: 'denied',
    hint: "a policy of the organization denies it, regardless of what your role allows: ask whoever manages the organization's policies",
    errors: [
      [
        'AccessDeniedException',
        `${REFUSED} with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1`,
      ],
      ['AccessDeniedException', `${REFUSED} because no service control policy allows the ecs:RunTask action`],
    ],
  },
  {
    code: 'denied',
    hint: "the permissions boundary of your user or role doesn't allow it: ask whoever manages it",
    errors: [['AccessDeniedException', `${REFUSED} because no permissions boundary allows the ecs:RunTask action`]],
  },
  {
    code: 'denied',
    hint: 'the session policy with which these credentials were issued does not allow it: log in without it',
    errors: [['AccessDeniedException', `${REFUSED} because no session policy allows the ecs:RunTask action`]],
  },
  {
    code: 'denied',
    hint: 'the policy of a VPC endpoint does not allow it: ask whoever manages the network',
    errors: [['AccessDeniedException', `${REFUSED} because no VPC endpoint policy allows the ecs:RunTask action`]],
  },
  {
    code: 'denied',
    hint: 'log in again or set other credentials (`aws sts get-caller-identity` must work)',
    errors: [
      ['AuthFailure', 'AWS was not able to validate the provided access credentials'],
      ['CredentialsProviderError', 'Could not load credentials from any providers'],
      [
        'TokenProviderError',
        "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
      ],
      ['ExpiredToken', 'The security token included in the request is expired'],
      ['ExpiredTokenException', 'The security token included in the request is expired'],
      ['TokenRefreshRequired', 'The provided token must be refreshed.'],
      ['IncompleteSignature', "Authorization header requires 'Credential' parameter."],
      ['IncompleteSignatureException', "Authorization header requires 'Credential' parameter."],
      ['InvalidClientTokenId', 'The security token included in the request is invalid.'],
      ['InvalidToken', 'The provided token is malformed or otherwise invalid.'],
      ['MissingAuthenticationToken', 'Request is missing Authentication Token'],
      ['MissingAuthenticationTokenException', 'Missing Authentication Token'],
      ['SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.'],
      ['InvalidSignatureException', 'The request signature we calculated does not match the signature you provided.'],
      ['UnrecognizedClientException', 'The security token included in the request is invalid.'],
    ],
  },
  {
    code: 'denied',
    hint: 'set the clock of this machine: AWS refuses requests that are signed with the wrong time',
    errors: [
      [
        'InvalidSignatureException',
        'Signature expired: 20261126T031055Z is now earlier than 20261126T040555Z (20261126T041055Z - 5 min.)',
      ],
      [
        'SignatureDoesNotMatch',
        'Signature not yet current: 20261126T051055Z is still later than 20261126T041555Z (20261126T041055Z + 5 min.)',
      ],
      ['RequestExpired', 'Request has expired.'],
      ['RequestInTheFuture', 'Request timestamp is in the future.'],
      ['RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.'],
    ],
  },
  {
    code: 'denied',
    hint: 'AWS has restricted this account: contact AWS Support',
    errors: [
      ['Blocked', 'Your account is currently blocked. If you have questions, please contact AWS Support.'],
      ['BlockedException', 'Your AWS account was blocked. For more information, contact AWS Support.'],
      ['PendingVerification', 'Your account is currently being verified.'],
    ],
  },
  {
    code: 'denied',
    hint: 'enable the region or service for this account, or choose another `aws_region`',
    errors: [
      ['OperationNotPermittedException', 'The requested operation is not permitted.'],
      ['UnsupportedOperationException', 'The requested operation is not supported.'],
      ['OptInRequired', 'You are not subscribed to this service.'],
      ['RegionDisabledException', 'STS is not activated in the requested region for account: 123456789012.'],
      ['SubscriptionRequiredException', 'The AWS Access Key Id needs a subscription for the service'],
    ],
  },
  {
    code: 'failed',
    hint: 'AWS had an internal error: try again in a minute (https://health.aws.amazon.com)',
    errors: [
      ['InternalError', 'An internal error has occurred'],
      ['InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.'],
      ['InternalServerError', 'Internal server error'],
      ['InternalServerException', 'Internal server error'],
      ['RequestAbortedException', 'The request was aborted before a response was sent.'],
      ['RequestTimeout', 'The request timed out.'],
      ['RequestTimeoutException', 'The request timed out.'],
      ['ServerException', 'Service Unavailable. Please try again later.'],
      ['ServiceUnavailable', 'The request has failed due to a temporary failure of the server.'],
      ['ServiceUnavailableException', 'The service cannot complete the request.'],
      ['Unavailable', "The server is overloaded and can't handle the request."],
      ['DependencyTimeoutException', 'The system timed out while trying to fulfill the request.'],
      ['KMSInternalException', 'An internal exception occurred.'],
      ['KeyUnavailableException', 'The key is not available.'],
      ['ServiceFailureException', 'The request processing has failed because of an unknown error.'],
      ['PolicyEvaluationException', 'A policy could not be evaluated.'],
    ],
  },
  {
    code: 'failed',
    hint: 'AWS limits how often this account may call it: try again in a minute, with fewer commands at once',
    errors: [
      ['EC2ThrottledException', 'Request limit exceeded.'],
      ['RequestLimitExceeded', 'Request limit exceeded.'],
      ['RequestThrottled', 'Request was throttled.'],
      ['RequestThrottledException', 'Request was throttled.'],
      ['Throttling', 'Rate exceeded'],
      ['ThrottledException', 'Rate exceeded'],
      ['ThrottlingException', 'Rate exceeded'],
      ['TooManyRequestsException', 'Too Many Requests'],
    ],
  },
  {
    code: 'failed',
    hint: 'AWS does not recognize this request: use the newest version of mngr-fargate',
    errors: [
      ['InvalidAction', 'The action DescribeThings is not valid for this web service.'],
      ['MalformedHttpRequestException', 'The request body cannot be decompressed.'],
      ['MalformedQueryString', 'The query string contains a syntax error.'],
      ['MissingAction', 'The request is missing an action.'],
      ['UnknownOperationException', 'The requested operation is not recognized.'],
      ['UnknownParameter', 'An unknown or unrecognized parameter was supplied.'],
      ['DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.'],
      ['InvalidEventCategoryException', 'The event category is not valid.'],
      ['InvalidLookupAttributesException', 'You can specify only one lookup attribute.'],
      ['InvalidMaxResultsException', 'MaxResults must be between 1 and 50.'],
      ['InvalidNextTokenException', 'The token is invalid.'],
    ],
  },
  {
    code: 'failed',
    hint: undefined,
    errors: [
      ['UnsupportedOperation', 'The specified request includes an unsupported operation.'],
      ['ClientException', 'An unexpected thing.'],
      ['SomethingNewException', 'Something that no table knows.'],
    ],
  },
  {
    code: 'usage',
    hint: undefined,
    errors: [
      ['InvalidParameterCombination', 'The parameters can not be used together.'],
      ['InvalidParameterValue', 'Value (x) for parameter groupId is invalid.'],
      ['MissingParameter', 'The request must contain the parameter groupId'],
      ['RequestEntityTooLargeException', 'The request entity is too large.'],
      ['ValidationError', "1 validation error detected: Value 'a b' at 'stackName' failed to satisfy constraint"],
      ['ValidationException', 'The input fails to satisfy the constraints'],
      ['InvalidInputException', 'Invalid Entity Arn: x'],
      ['InvalidTimeRangeException', 'The start time must not be after the end time.'],
      ['InvalidParameterException', 'Task definition does not support launch_type FARGATE.'],
      ['InvalidParameterException', 'The referenced task was not found.'],
    ],
  },
  {
    code: 'unreachable',
    hint: 'AWS does not answer: check the network, the proxy and `aws_region`',
    errors: [['TimeoutError', 'socket hang up: no answer within 15000 ms']],
  },
  {
    code: 'not-found',
    hint: 'deploy the environment, or set `ecs_cluster` to its cluster and `aws_region` to its region',
    errors: [
      ['ClusterNotFound', 'Cluster not found.'],
      ['ClusterNotFoundException', 'Cluster not found.'],
    ],
  },
  {
    code: 'already-exists',
    hint: 'another command changes the same thing: try again',
    errors: [['ConflictException', 'Client token already used with different parameters']],
  },
  {
    code: 'usage',
    hint: 'ECS takes at most 50 tags for a task: give fewer tags',
    errors: [['LimitExceededException', 'The maximum number of tags was exceeded']],
  },
  {
    code: 'usage',
    hint: 'use the platform version LATEST, and a region that has Fargate',
    errors: [
      [
        'PlatformTaskDefinitionIncompatibilityException',
        'The specified platform does not satisfy the task definition’s required capabilities.',
      ],
      ['PlatformUnknownException', 'The specified platform does not exist.'],
      ['UnsupportedFeatureException', 'The specified task is not supported in this Region.'],
    ],
  },
  {
    code: 'not-found',
    hint: 'it may have been deleted: deploy the environment again',
    errors: [['ResourceNotFoundException', 'The specified log group does not exist.']],
  },
  {
    code: 'not-found',
    hint: 'list the services of the cluster: `aws ecs list-services`',
    errors: [['ServiceNotFoundException', 'Service not found.']],
  },
  {
    code: 'unreachable',
    hint: "ECS Exec's agent in the container is not connected to Session Manager: `mngr-fargate doctor` says why",
    errors: [
      ['TargetNotConnectedException', 'The execute command failed due to an internal error. Try again later.'],
      ['TargetNotConnected', 'ecs:mngr_0123_0123-1 is not connected.'],
    ],
  },
  {
    code: 'not-found',
    hint: 'the session has ended: start it again',
    errors: [['DoesNotExistException', 'Session does not exist']],
  },
  {
    code: 'failed',
    hint: 'the region must have the documents `AWS-StartSSHSession` and `AWS-StartPortForwardingSession` of Session Manager',
    errors: [['InvalidDocument', 'Document with name AWS-StartSSHSession does not exist.']],
  },
  {
    code: 'failed',
    hint: "sessions are encrypted with the KMS key of the cluster's ECS Exec configuration: that key must exist, be enabled and encrypt",
    errors: [
      ['DisabledException', 'arn:aws:kms:eu-west-1:123456789012:key/1 is disabled.'],
      ['InvalidGrantTokenException', 'The grant token is not valid.'],
      [
        'InvalidKeyUsageException',
        'arn:aws:kms:eu-west-1:123456789012:key/1 key usage is SIGN_VERIFY which is not valid for GenerateDataKey.',
      ],
      ['KMSInvalidStateException', 'arn:aws:kms:eu-west-1:123456789012:key/1 is pending deletion.'],
      ['NotFoundException', "Key 'arn:aws:kms:eu-west-1:123456789012:key/1' does not exist"],
    ],
  },
  {
    code: 'not-found',
    hint: 'the role or policy has been deleted: deploy its stack again',
    errors: [['NoSuchEntityException', 'The role with name mngr cannot be found.']],
  },
  {
    code: 'not-found',
    hint: 'deploy the environment again, or correct `subnets` and `security_groups`',
    errors: [
      ['InvalidNetworkInterfaceID.NotFound', "The networkInterface ID 'eni-1' does not exist"],
      ['InvalidSubnetID.NotFound', "The subnet ID 'subnet-1' does not exist"],
      ['InvalidGroup.NotFound', "The security group 'sg-1' does not exist"],
      ['InvalidVpcID.NotFound', "The vpc ID 'vpc-1' does not exist"],
    ],
  },
  {
    code: 'usage',
    hint: 'correct `subnets` and `security_groups`',
    errors: [['InvalidGroupId.Malformed', 'Invalid id: "sg-x"']],
  },
  {
    code: 'no-capacity',
    hint: 'ask for a higher Fargate vCPU quota (Service Quotas), or stop other tasks',
    errors: [
      ['ClientException', "You've reached the limit on the number of vCPUs you can run concurrently"],
      ['ClientException', 'You’ve reached the limit on the number of tasks you can run concurrently'],
    ],
  },
  {
    code: 'no-capacity',
    hint: 'try again later, another size, other subnets, or without Spot',
    errors: [
      [
        'ClientException',
        'Capacity is unavailable at this time. Please try again later or in a different availability zone',
      ],
      [
        'ServerException',
        'Capacity is unavailable at this time. Please try again later or in a different availability zone',
      ],
    ],
  },
  {
    code: 'not-found',
    hint: 'deploy the environment, or set `task_definition` to its family',
    errors: [
      ['ClientException', 'TaskDefinition not found.'],
      ['ClientException', 'TaskDefinition is inactive'],
      ['ClientException', 'Unable to describe task definition.'],
    ],
  },
  {
    code: 'failed',
    hint: 'the roles of the task must exist and trust ecs-tasks.amazonaws.com: deploy the environment',
    errors: [
      [
        'ClientException',
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/mngr-task' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.",
      ],
    ],
  },
  {
    code: 'usage',
    hint: 'see `mngr-fargate create --help` for sizes',
    errors: [
      [
        'ClientException',
        'No Fargate configuration exists for given values: 300 CPU, 512 memory. See the Amazon ECS documentation for the valid values.',
      ],
    ],
  },
  {
    code: 'failed',
    hint: 'the account lacks the service-linked role of ECS: `aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`',
    errors: [
      [
        'InvalidParameterException',
        'Unable to assume the service linked role. Please verify that the ECS service linked role exists.',
      ],
    ],
  },
  {
    code: 'usage',
    hint: 'deploy the environment again, or correct `subnets` and `security_groups`',
    errors: [
      [
        'InvalidParameterException',
        "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
      ],
      [
        'InvalidParameterException',
        "Error retrieving security group information for [sg-1]: The security group 'sg-1' does not exist (ErrorCode: InvalidGroup.NotFound)",
      ],
    ],
  },
];
