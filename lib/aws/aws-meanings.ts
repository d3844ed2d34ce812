import type { MngrFargateErrorCode } from '../contract/errors';

/** What an error of AWS means for a user. */
export interface Meaning {
  readonly code: MngrFargateErrorCode;
  readonly hint?: string;
}

const CREDENTIALS: Meaning = {
  code: 'denied',
  hint: 'log in again or set other credentials (`aws sts get-caller-identity` must work)',
};
const PERMISSION: Meaning = {
  code: 'denied',
  hint: 'use the operator role or policy of the environment, which has every permission that the launcher needs (outputs `OperatorRoleArn`, `OperatorPolicyArn`)',
};
const BLOCKED: Meaning = { code: 'denied', hint: 'AWS has restricted this account: contact AWS Support' };
const NOT_ENABLED: Meaning = {
  code: 'denied',
  hint: 'enable the region or service for this account, or choose another `aws_region`',
};
const CLOCK: Meaning = {
  code: 'denied',
  hint: 'set the clock of this machine: AWS refuses requests that are signed with the wrong time',
};
const AWS_FAILED: Meaning = {
  code: 'failed',
  hint: 'AWS had an internal error: try again in a minute (https://health.aws.amazon.com)',
};
const THROTTLED: Meaning = {
  code: 'failed',
  hint: 'AWS limits how often this account may call it: try again in a minute, with fewer commands at once',
};
const CLUSTER: Meaning = {
  code: 'not-found',
  hint: 'deploy the environment, or set `ecs_cluster` to its cluster and `aws_region` to its region',
};
const NOT_CONNECTED: Meaning = {
  code: 'unreachable',
  hint: "ECS Exec's agent in the container is not connected to Session Manager: `mngr-fargate doctor` says why",
};
const KEY: Meaning = {
  code: 'failed',
  hint: "sessions are encrypted with the KMS key of the cluster's ECS Exec configuration: that key must exist, be enabled and encrypt",
};
const OURS: Meaning = {
  code: 'failed',
  hint: 'AWS does not recognize this request: use the newest version of mngr-fargate',
};
const PLATFORM: Meaning = { code: 'usage', hint: 'use the platform version LATEST, and a region that has Fargate' };

/** AWS's error codes: those of the models of the calls that we make, and those that all services share. */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
  // Every service ("Common Errors" of each API reference), and EC2's own list of common client errors.
  AccessDenied: PERMISSION,
  AccessDeniedException: PERMISSION,
  NotAuthorized: PERMISSION,
  UnauthorizedOperation: PERMISSION,
  AuthFailure: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  IncompleteSignature: CREDENTIALS,
  IncompleteSignatureException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  TokenRefreshRequired: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
  RequestExpired: CLOCK,
  RequestInTheFuture: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  Blocked: BLOCKED,
  BlockedException: BLOCKED,
  PendingVerification: BLOCKED,
  OptInRequired: NOT_ENABLED,
  RegionDisabledException: NOT_ENABLED,
  SubscriptionRequiredException: NOT_ENABLED,
  InternalError: AWS_FAILED,
  InternalFailure: AWS_FAILED,
  InternalServerError: AWS_FAILED,
  InternalServerException: AWS_FAILED,
  RequestAbortedException: AWS_FAILED,
  RequestTimeout: AWS_FAILED,
  RequestTimeoutException: AWS_FAILED,
  ServerException: AWS_FAILED,
  ServiceUnavailable: AWS_FAILED,
  ServiceUnavailableException: AWS_FAILED,
  Unavailable: AWS_FAILED,
  EC2ThrottledException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  RequestThrottled: THROTTLED,
  RequestThrottledException: THROTTLED,
  Throttling: THROTTLED,
  ThrottledException: THROTTLED,
  ThrottlingException: THROTTLED,
  TooManyRequestsException: THROTTLED,
  InvalidAction: OURS,
  MalformedHttpRequestException: OURS,
  MalformedQueryString: OURS,
  MissingAction: OURS,
  UnknownOperationException: OURS,
  UnknownParameter: OURS,
  UnsupportedOperation: { code: 'failed' },
  InvalidParameterCombination: { code: 'usage' },
  InvalidParameterValue: { code: 'usage' },
  MissingParameter: { code: 'usage' },
  RequestEntityTooLargeException: { code: 'usage' },
  ValidationError: { code: 'usage' },
  ValidationException: { code: 'usage' },
  TimeoutError: { code: 'unreachable', hint: 'AWS does not answer: check the network, the proxy and `aws_region`' },

  // ECS.
  ClientException: { code: 'failed' },
  ClusterNotFound: CLUSTER,
  ClusterNotFoundException: CLUSTER,
  ConflictException: { code: 'already-exists', hint: 'another command changes the same thing: try again' },
  InvalidParameterException: { code: 'usage' },
  LimitExceededException: {
    code: 'usage',
    hint: 'ECS takes at most 50 tags for a task: give fewer tags',
  },
  PlatformTaskDefinitionIncompatibilityException: PLATFORM,
  PlatformUnknownException: PLATFORM,
  UnsupportedFeatureException: PLATFORM,
  ResourceNotFoundException: { code: 'not-found', hint: 'it may have been deleted: deploy the environment again' },
  ServiceNotFoundException: { code: 'not-found', hint: 'list the services of the cluster: `aws ecs list-services`' },
  TargetNotConnectedException: NOT_CONNECTED,

  // CloudTrail.
  InvalidEventCategoryException: OURS,
  InvalidLookupAttributesException: OURS,
  InvalidMaxResultsException: OURS,
  InvalidNextTokenException: OURS,
  InvalidTimeRangeException: { code: 'usage' },
  OperationNotPermittedException: NOT_ENABLED,
  UnsupportedOperationException: NOT_ENABLED,

  // Systems Manager.
  DoesNotExistException: { code: 'not-found', hint: 'the session has ended: start it again' },
  InvalidDocument: {
    code: 'failed',
    hint: 'the region must have the documents `AWS-StartSSHSession` and `AWS-StartPortForwardingSession` of Session Manager',
  },
  TargetNotConnected: NOT_CONNECTED,

  // KMS.
  DependencyTimeoutException: AWS_FAILED,
  KMSInternalException: AWS_FAILED,
  KeyUnavailableException: AWS_FAILED,
  DisabledException: KEY,
  DryRunOperationException: OURS,
  InvalidGrantTokenException: KEY,
  InvalidKeyUsageException: KEY,
  KMSInvalidStateException: KEY,
  NotFoundException: KEY,

  // IAM.
  InvalidInputException: { code: 'usage' },
  NoSuchEntityException: { code: 'not-found', hint: 'the role or policy has been deleted: deploy its stack again' },
  PolicyEvaluationException: AWS_FAILED,
  ServiceFailureException: AWS_FAILED,
};

/** EC2 names every kind of missing or misspelt thing on its own, for example `InvalidSubnetID.NotFound`. */
export const EC2_MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^Invalid\w+\.NotFound$/,
    { code: 'not-found', hint: 'deploy the environment again, or correct `subnets` and `security_groups`' },
  ],
  [/^Invalid\w+\.Malformed$/, { code: 'usage', hint: 'correct `subnets` and `security_groups`' }],
];

/**
 * What only the text of an ECS error tells, where AWS gives one name to many faults: ClientException,
 * InvalidParameterException and `failures` (ECS developer guide, "API failure reasons" and "Invalid CPU or memory value").
 */
export const ECS_TEXTS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^You(?:'|’)?(?: ha)?ve reached the limit on the number of (?:vCPUs|tasks)/i,
    { code: 'no-capacity', hint: 'ask for a higher Fargate vCPU quota (Service Quotas), or stop other tasks' },
  ],
  [
    /^(?:Capacity is unavailable at this time|RESOURCE:|No capacity\b)/i,
    { code: 'no-capacity', hint: 'try again later, another size, other subnets, or without Spot' },
  ],
  [
    /^Unable to assume the service[- ]linked role/i,
    {
      code: 'failed',
      hint: 'the account lacks the service-linked role of ECS: `aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`',
    },
  ],
  [
    /^ECS was unable to assume the role/i,
    {
      code: 'failed',
      hint: 'the roles of the task must exist and trust ecs-tasks.amazonaws.com: deploy the environment',
    },
  ],
  [
    /^(?:Unable to (?:find|describe) task definition|TaskDefinition (?:not found|is inactive)|The specified task definition is inactive)/i,
    { code: 'not-found', hint: 'deploy the environment, or set `task_definition` to its family' },
  ],
  [
    /^Error retrieving (?:subnet|security group) information/i,
    { code: 'usage', hint: 'deploy the environment again, or correct `subnets` and `security_groups`' },
  ],
  [
    /^No Fargate configuration exists for given values/i,
    { code: 'usage', hint: 'see `mngr-fargate create --help` for sizes' },
  ],
];

/** The kinds of policy that AWS names in its refusals (IAM user guide, "Troubleshoot access denied error messages"). */
export const POLICY_TEXTS: readonly (readonly [RegExp, string])[] = [
  [
    /with an explicit deny in a (?:service|resource) control policy|because no (?:service|resource) control policy allows/i,
    "a policy of the organization denies it, regardless of what your role allows: ask whoever manages the organization's policies",
  ],
  [
    /with an explicit deny in a permissions boundary|because no permissions boundary allows/i,
    "the permissions boundary of your user or role doesn't allow it: ask whoever manages it",
  ],
  [
    /with an explicit deny in a session policy|because no session policy allows/i,
    'the session policy with which these credentials were issued does not allow it: log in without it',
  ],
  [
    /with an explicit deny in a VPC endpoint policy|because no VPC endpoint policy allows/i,
    'the policy of a VPC endpoint does not allow it: ask whoever manages the network',
  ],
];
