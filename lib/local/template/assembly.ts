import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { MngrFargateError } from '../../contract/errors';
import type { ImageSource } from '../runtimes/runtime';
import { TemplateError } from './intrinsics';
import type { Template } from './stack';

const assetsSchema = z.object({
  dockerImages: z
    .record(
      z.string(),
      z.object({
        source: z.object({
          directory: z.string().optional(),
          dockerFile: z.string().optional(),
          dockerBuildArgs: z.record(z.string(), z.string()).optional(),
          platform: z.string().optional(),
        }),
      }),
    )
    .optional(),
});

/** A synthesized stack: its template, and the image folders that its tasks are built from. */
export interface Assembly {
  readonly template: Template;
  /** Image assets by their hash. */
  readonly images: ReadonlyMap<string, ImageSource>;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new MngrFargateError('not-found', missing ? `${path} does not exist` : `${path} is not valid JSON`, {
      cause: error,
      hint: 'synthesize the stack first: npx cdk synth',
    });
  }
}

/** Reads `<stack>.template.json` and `<stack>.assets.json` of a synthesized directory (`cdk.out`). */
export function loadAssembly(directory: string, stackName: string): Assembly {
  const template = readJson(join(directory, `${stackName}.template.json`));
  if (typeof template !== 'object' || template === null || !('Resources' in template)) {
    throw new TemplateError(`${stackName}.template.json has no Resources`);
  }
  const assets = assetsSchema.parse(readJson(join(directory, `${stackName}.assets.json`)));
  const images = new Map<string, ImageSource>();
  for (const [hash, { source }] of Object.entries(assets.dockerImages ?? {})) {
    if (source.directory === undefined) continue;
    images.set(hash, {
      type: 'folder',
      path: resolve(directory, source.directory),
      dockerfile: source.dockerFile,
      buildArgs: source.dockerBuildArgs,
      platform: source.platform,
    });
  }
  return { template: template as Template, images };
}

/** What to build or pull for an image reference: an asset's folder when the reference ends in an asset's hash. */
export function imageSourceOf(images: ReadonlyMap<string, ImageSource>, reference: string): ImageSource {
  const tag = reference.split(':').at(-1) ?? '';
  return images.get(tag) ?? { type: 'uri', uri: reference };
}
