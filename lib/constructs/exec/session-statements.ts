import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { allow } from '../checks/statement';

/** The documents of Session Manager that open a port of a task. They don't run commands. */
export const SESSION_DOCUMENTS = {
  ssh: 'AWS-StartSSHSession',
  port: 'AWS-StartPortForwardingSession',
  remoteHost: 'AWS-StartPortForwardingSessionToRemoteHost',
} as const;

export type SessionDocument = (typeof SESSION_DOCUMENTS)[keyof typeof SESSION_DOCUMENTS];

export interface SessionTargets {
  /** ARNs of tasks, with wildcards. */
  readonly tasks: readonly string[];

  /** Tags that a task must have; none means every task of `tasks`. */
  readonly tags: Readonly<Record<string, string>>;
}

const TASK_IDS = 'Task ids are made up at launch.';

/** Condition on the tags of a task, undefined without tags. */
export const taggedWith = (tags: Readonly<Record<string, string>>): Record<string, unknown> | undefined =>
  Object.keys(tags).length === 0
    ? undefined
    : Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));

/**
 * The permissions to start sessions with these documents on tasks, and to end and resume one's own. `sid` tells the
 * statements of one policy apart.
 *
 * Session Manager checks the caller's right to a document only if every statement that allows ssm:StartSession asks for
 * it; without that condition the right to a task would be the right to a shell in it (Systems Manager user guide,
 * "Enforce a session document permission check").
 */
export function sessionStatements(
  construct: IConstruct,
  sid: string,
  { tasks, tags }: SessionTargets,
  documents: readonly SessionDocument[],
): PolicyStatement[] {
  const stack = Stack.of(construct);
  const checked = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };
  const tagged = taggedWith(tags);
  return [
    allow(construct, `${sid}OnTasks`, ['ssm:StartSession'], [...tasks], {
      conditions: { ...checked, ...(tagged !== undefined && { StringEquals: tagged }) },
      wildcard: `${TASK_IDS} The documents of the next statement are all that may run on them.`,
    }),
    allow(
      construct,
      `${sid}Documents`,
      ['ssm:StartSession'],
      documents.map((name) =>
        stack.formatArn({
          service: 'ssm',
          account: '',
          resource: 'document',
          resourceName: name,
          arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
        }),
      ),
      { conditions: checked },
    ),
    ...ownSessionStatements(construct, sid),
  ];
}

/** The permissions to use, resume and end sessions that the caller has started, by whichever call. */
export function ownSessionStatements(construct: IConstruct, sid: string): PolicyStatement[] {
  const sessions = Stack.of(construct).formatArn({ service: 'ssm', resource: 'session', resourceName: '*' });
  return [
    allow(construct, `${sid}OwnSessions`, ['ssm:ResumeSession', 'ssm:TerminateSession'], [sessions], {
      conditions: { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
      wildcard: 'Session ids are made up at the start; the tag, which AWS sets, limits this to sessions of the caller.',
    }),
    allow(construct, `${sid}Channels`, ['ssmmessages:OpenDataChannel'], [sessions], {
      wildcard:
        'Session ids are made up at the start; a channel also needs the token that StartSession gave the caller.',
    }),
  ];
}
