import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import dockerignore from '@balena/dockerignore';
import tar from 'tar-fs';
import { filesIn, hashFiles } from './image-folder';
import type { ImageSource } from './runtime';
import { ImageUnavailableError } from './runtime';

export type ImageFolder = Extract<ImageSource, { type: 'folder' }>;

/** What `docker build` would send of a folder. */
export interface BuildContext {
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly dockerfile: string;
  /** SHA-256 over the files and the build's settings, as hex. */
  readonly hash: string;
}

/**
 * Reads the folder as `docker build` does: without what .dockerignore names, but always with the Dockerfile and
 * .dockerignore. A `<Dockerfile>.dockerignore` beside the Dockerfile takes precedence (Docker's documentation, "build
 * context").
 */
export function readBuildContext(image: ImageFolder): BuildContext {
  const dockerfile = image.dockerfile ?? 'Dockerfile';
  const all = filesIn(image.path);
  if (!all.includes(dockerfile)) {
    throw new ImageUnavailableError(`${image.path} can't be built: it has no ${dockerfile}`);
  }
  const ignoreFiles = [`${dockerfile}.dockerignore`, '.dockerignore'];
  const ignoreFile = ignoreFiles.find((name) => existsSync(join(image.path, name)));
  const rules = ignoreFile === undefined ? '' : readFileSync(join(image.path, ignoreFile), 'utf8');
  const kept = dockerignore({ ignorecase: false }).add(rules).createFilter();
  const files = all.filter((file) => file === dockerfile || ignoreFiles.includes(file) || kept(file));
  const settings = [dockerfile, Object.entries(image.buildArgs ?? {}).sort(), image.platform ?? ''];
  return { files, dockerfile, hash: hashFiles(image.path, files, settings) };
}

/** The context as the tar stream that the engine's build call takes. */
export const packBuildContext = (image: ImageFolder, context: BuildContext): NodeJS.ReadableStream =>
  tar.pack(image.path, { entries: [...context.files] });
