import type * as z from 'zod';
import type { SubmitEvent } from '../../model/types';
import {
  branchEvent,
  checkoutEvent,
  cloneEvent,
  commitEvent,
  diffEvent,
  logEvent,
  pullEvent,
  pushEvent,
  statusEvent,
} from '../git/git-events';
import { route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { sessionParams } from '../schemas/common';
import { event } from '../schemas/event';
import {
  gitBranch,
  gitCheckout,
  gitClone,
  gitCommit,
  gitDiff,
  gitLog,
  gitPull,
  gitPush,
  gitStatus,
} from '../schemas/git';
import { submitted } from './submitted';

/** Git as events: each is a program with arguments, whose output and exit code are the event's. */
export function gitRoutes(context: RouteContext): RouteSpec[] {
  const { service } = context;

  const command = <T extends z.ZodType>(
    name: string,
    summary: string,
    body: T,
    eventOf: (body: z.infer<T>) => SubmitEvent,
  ): RouteSpec =>
    route({
      method: 'POST',
      path: `/sandbox/{id}/git/${name}`,
      operation: `git${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      tag: 'git',
      summary,
      params: sessionParams,
      body: body as z.ZodType<z.infer<T>>,
      idempotent: true,
      answers: { 202: { description: 'it is accepted: wait for its event', schema: event } },
      errors: ['session_not_found', 'idempotency_conflict', 'session_unavailable'],
      handle: async (call) =>
        submitted(
          context,
          await service.submit(call.caller, call.params.id, eventOf(call.body), {
            idempotencyKey: call.idempotencyKey,
          }),
        ),
    });

  return [
    command('clone', 'Clone a repository', gitClone, cloneEvent),
    command('commit', 'Commit what has changed; needs no configured identity', gitCommit, commitEvent),
    command('status', 'State of the folder, as git status --porcelain=v2', gitStatus, statusEvent),
    command('diff', 'What has changed', gitDiff, diffEvent),
    command('log', 'Commits', gitLog, logEvent),
    command('branch', 'List, make or delete branches', gitBranch, branchEvent),
    command('checkout', 'Change to a branch, or get files back', gitCheckout, checkoutEvent),
    command('push', 'Send commits to another repository', gitPush, pushEvent),
    command('pull', 'Get commits from another repository', gitPull, pullEvent),
  ];
}
