import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { BuildContext, ImageFolder } from './build-context';
import { packBuildContext, readBuildContext } from './build-context';
import { baseImages } from './dockerfile-bases';
import type { Engine } from './engine';
import type { ImageSource, PreparedImage } from './runtime';
import { ImageUnavailableError } from './runtime';

/** Repository of the images that are built from folders; the tag is the content's hash. */
const REPOSITORY = 'mngr-fargate-local';
/** The number of a failed build's last lines that the error contains. */
const LAST_LINES = 15;

type Progress = (line: string) => void;

/** One event of a build or a pull (Docker Engine API, ImageBuild and ImageCreate). */
interface EngineEvent {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
}

/** Gets images into an engine: builds folders, pulls the rest. An image that already exists costs one call. */
export class ContainerImages {
  private readonly underWay = new Map<string, Promise<PreparedImage>>();

  constructor(private readonly engine: Engine) {}

  /** Concurrent calls for one image share the work; progress is reported to the first caller. */
  prepare(image: ImageSource, onProgress: Progress): Promise<PreparedImage> {
    const context = image.type === 'folder' ? readBuildContext(image) : undefined;
    const name = context === undefined ? (image as { uri: string }).uri : `${REPOSITORY}:${context.hash.slice(0, 32)}`;
    const begun = this.underWay.get(name);
    if (begun !== undefined) return begun;
    const work = this.make(image, name, context, onProgress).finally(() => this.underWay.delete(name));
    this.underWay.set(name, work);
    return work;
  }

  private async make(
    image: ImageSource,
    name: string,
    context: BuildContext | undefined,
    onProgress: Progress,
  ): Promise<PreparedImage> {
    const present = await this.idOf(name);
    if (present !== undefined) return { reference: present };
    if (image.type === 'folder' && context !== undefined) await this.build(image, context, name, onProgress);
    else await this.pull(name, onProgress);
    const id = await this.idOf(name);
    if (id === undefined)
      throw new ImageUnavailableError(`${this.engine.name} says it made ${name}, but doesn't have it`);
    return { reference: id };
  }

  private async build(image: ImageFolder, context: BuildContext, name: string, onProgress: Progress): Promise<void> {
    const dockerfile = readFileSync(join(image.path, context.dockerfile), 'utf8');
    for (const base of baseImages(dockerfile, image.buildArgs)) {
      if ((await this.idOf(base)) === undefined) await this.pull(base, onProgress, `the base image of ${image.path}`);
    }
    const lines: string[] = [];
    const show = (line: string): void => {
      lines.push(line);
      onProgress(line);
    };
    const stream = await this.engine.docker.buildImage(packBuildContext(image, context), {
      t: name,
      dockerfile: context.dockerfile,
      buildargs: { ...image.buildArgs },
      labels: { [REPOSITORY]: context.hash },
      // The build reaches what this machine reaches, package mirrors on its own proxies included.
      networkmode: 'host',
      rm: true,
      forcerm: true,
      // An image without platform data, such as an imported one, would not pass for the engine's own platform.
      ...(this.isForeign(image.platform) ? { platform: image.platform } : {}),
    });
    const error = await this.follow(stream, (event) => {
      for (const line of (event.stream ?? event.status ?? '').split('\n')) if (line.trim() !== '') show(line.trimEnd());
    });
    if (error === undefined) return;
    const output = lines.slice(-LAST_LINES).join('\n');
    throw new ImageUnavailableError(`${image.path} can't be built: ${error}\nthe build's last lines:\n${output}`);
  }

  private async pull(name: string, onProgress: Progress, what = 'the image'): Promise<void> {
    onProgress(`pulling ${name}`);
    let error: string | undefined;
    try {
      const stream = (await this.engine.docker.pull(name)) as NodeJS.ReadableStream;
      error = await this.follow(stream, (event) => {
        if (event.id === undefined && event.status !== undefined) onProgress(event.status);
      });
    } catch (thrown) {
      error = engineMessage(thrown);
    }
    if (error === undefined) return;
    throw new ImageUnavailableError(
      `${what}, ${name}, is not on this machine and can't be pulled: ${error}; ` +
        `check the network and the name, log in to its registry and pull it yourself (docker pull ${name}), or choose another image`,
    );
  }

  /** Reads a build or pull to its end; the engine reports a failure as the last event of a stream that began with 200. */
  private follow(stream: NodeJS.ReadableStream, onEvent: (event: EngineEvent) => void): Promise<string | undefined> {
    return new Promise((resolve) => {
      let error: string | undefined;
      const finished = (failure: Error | null): void => resolve(error ?? failure?.message);
      this.engine.docker.modem.followProgress(stream, finished, (event: EngineEvent) => {
        error = event.error?.trim() ?? error;
        onEvent(event);
      });
    });
  }

  private async idOf(name: string): Promise<string | undefined> {
    try {
      return (await this.engine.docker.getImage(name).inspect()).Id;
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 400) return undefined;
      throw new MngrFargateError(
        'failed',
        `${this.engine.name} can't describe image ${name}: ${engineMessage(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  private isForeign(platform: string | undefined): boolean {
    if (platform === undefined) return false;
    const own = { x86_64: 'linux/amd64', amd64: 'linux/amd64', aarch64: 'linux/arm64', arm64: 'linux/arm64' };
    return own[this.engine.architecture as keyof typeof own] !== platform;
  }
}

/** HTTP status of an error that dockerode throws. */
export const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

/** The engine's own words of an error that dockerode throws. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as { json?: { message?: string } | null; message?: string };
  return (json?.message ?? message ?? String(error)).trim();
}
