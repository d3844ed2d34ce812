import * as z from 'zod';
import { filePath, lineOf } from './common';
import { component } from './documented';
import { timeoutSeconds } from './event';

/** The seed's limit for a clone, and for a commit. */
export const GIT_TIMEOUT_SECONDS = { network: 300, local: 60 } as const;

const url = z.string().min(1).max(2048);

/** A branch, tag, commit or expression for one, never an option. */
const ref = z.string().regex(/^(?!-)[^\s\u007f]{1,255}$/, {
  error: 'must be a name of a branch, tag or commit: without spaces, and not starting with -',
});

const credentials = z
  .strictObject({
    username: lineOf(256).optional().meta({ description: 'default: x-access-token' }),
    password: lineOf(4096).meta({ description: 'a password or token' }),
  })
  .meta({ description: 'for http and https; reach neither disk nor log nor the list of processes' });

const author = z.strictObject({ name: lineOf(256), email: lineOf(256) });

const folder = {
  path: filePath.optional().meta({ description: 'folder of the repository; default: /workspace' }),
  cwd: filePath.optional().meta({ description: 'an alias of path' }),
  timeout_seconds: timeoutSeconds.optional(),
};

const files = z.array(filePath).max(10_000).optional();

const remote = {
  ...folder,
  remote: z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .meta({ description: 'name or URL of the other repository; default: origin' }),
  branch: ref.optional(),
  credentials: credentials.optional(),
};

export const gitClone = component(
  'GitClone',
  z.strictObject({
    url,
    dest: filePath.optional().meta({ description: 'folder that is empty or does not exist; default: /workspace' }),
    branch: ref.optional(),
    depth: z.int().min(1).max(1_000_000).optional(),
    submodules: z.boolean().optional(),
    credentials: credentials.optional(),
    timeout_seconds: timeoutSeconds.optional(),
  }),
);

export const gitCommit = component(
  'GitCommit',
  z.strictObject({
    ...folder,
    message: z
      .string()
      .min(1)
      .max(64 * 1024)
      // eslint-disable-next-line no-control-regex
      .regex(/^[^\u0000]*$/, { error: 'has a NUL: leave it out' }),
    files: files.meta({ description: 'default: all that has changed in the folder' }),
    author: author.optional(),
    allow_empty: z.boolean().optional(),
  }),
);

export const gitStatus = component('GitStatus', z.strictObject(folder));

export const gitDiff = component(
  'GitDiff',
  z.strictObject({
    ...folder,
    staged: z.boolean().optional(),
    ref: ref.optional().meta({ description: 'a commit, or two as A..B' }),
    files,
    stat: z.boolean().optional().meta({ description: 'counts of lines alone' }),
  }),
);

export const gitLog = component(
  'GitLog',
  z.strictObject({
    ...folder,
    ref: ref.optional(),
    limit: z.int().min(1).max(10_000).optional().meta({ description: 'default: 50' }),
    files,
  }),
);

export const gitBranch = component(
  'GitBranch',
  z.strictObject({
    ...folder,
    name: ref.optional().meta({ description: 'default: lists the branches' }),
    from: ref.optional(),
    delete: z.boolean().optional(),
    force: z.boolean().optional(),
  }),
);

export const gitCheckout = component(
  'GitCheckout',
  z
    .strictObject({
      ...folder,
      ref: ref.optional(),
      create: z.boolean().optional().meta({ description: 'makes the branch' }),
      files: files.meta({ description: 'gets these files back, and leaves the branch' }),
    })
    .refine((body) => body.ref !== undefined || body.files !== undefined, {
      error: 'give ref, files or both',
      path: ['ref'],
    }),
);

export const gitPush = component(
  'GitPush',
  z.strictObject({
    ...remote,
    force: z.boolean().optional().meta({ description: 'with lease: nothing that is not known here is lost' }),
    set_upstream: z.boolean().optional(),
    tags: z.boolean().optional(),
  }),
);

export const gitPull = component(
  'GitPull',
  z.strictObject({ ...remote, rebase: z.boolean().optional().meta({ description: 'default: merge' }) }),
);
