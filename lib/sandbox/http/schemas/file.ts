import * as z from 'zod';
import { booleanText, fileMode, filePath, integerText, time } from './common';
import { component } from './documented';

export const pathQuery = z.strictObject({ path: filePath });

export const file = component(
  'File',
  z.object({
    name: z.string(),
    path: z.string(),
    type: z.enum(['file', 'directory', 'link', 'other']),
    is_dir: z.boolean(),
    size: z.int().nullable().meta({ description: 'bytes; null for a folder' }),
    size_bytes: z.int().nullable(),
    mode: z.string().meta({ description: 'permission bits in octal' }),
    modified_at: time,
    uid: z.int(),
    gid: z.int(),
    target: z.string().optional().meta({ description: 'where a link points' }),
  }),
);

export const fileContent = component(
  'FileContent',
  z.object({ path: z.string(), content_b64: z.string(), size: z.int(), size_bytes: z.int() }),
);

export const fileList = component('FileList', z.object({ path: z.string(), entries: z.array(file) }));

export const writeFile = z.strictObject({
  path: filePath,
  content_b64: z.string().meta({ contentEncoding: 'base64' }),
  mode: fileMode.optional().meta({ description: 'default: the old file’s, else 0644' }),
});

export const writtenFile = component(
  'WrittenFile',
  z.object({ path: z.string(), size: z.int(), size_bytes: z.int(), mode: z.string() }),
);

export const deleteFile = z.strictObject({
  path: filePath,
  recursive: z.boolean().optional().meta({ description: 'a folder with all that is in it; default: false' }),
});

export const deletedFile = z.object({ path: z.string(), deleted: z.string() });

export const makeDirectory = z.strictObject({
  path: filePath,
  parents: z
    .boolean()
    .optional()
    .meta({ description: 'makes missing parent folders, and takes one that exists; default: true' }),
  mode: fileMode.optional(),
});

export const moveFile = z.strictObject({
  from: filePath,
  to: filePath,
  overwrite: z.boolean().optional().meta({ description: 'default: false' }),
});

export const changeMode = z.strictObject({
  path: filePath,
  mode: fileMode,
  recursive: z.boolean().optional(),
});

export const rawWriteQuery = z.strictObject({ path: filePath, mode: fileMode.optional() });

export const tarQuery = z.strictObject({ path: filePath, gzip: booleanText.optional() });

export const watchQuery = z.strictObject({ path: filePath, recursive: booleanText.optional() });

/** More matches than this are for a command in the sandbox. */
const MAX_MATCHES = 10_000;

export const searchQuery = z
  .strictObject({
    path: filePath.optional(),
    name: z.string().min(1).max(1024).optional().meta({ description: 'a glob for names' }),
    content: z.string().min(1).max(1024).optional().meta({ description: 'a regular expression for lines' }),
    limit: integerText({ min: 1, max: MAX_MATCHES }).optional(),
    ignore_case: booleanText.optional(),
  })
  .refine((query) => query.name !== undefined || query.content !== undefined, {
    error: 'give name, content or both',
    path: ['name'],
  });

export const searchResult = component(
  'SearchResult',
  z.object({
    matches: z.array(z.object({ path: z.string(), line: z.int().optional(), text: z.string().optional() })),
    truncated: z.boolean().meta({ description: 'true if the limit was reached' }),
  }),
);
