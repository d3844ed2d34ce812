import type { RuntimeChoice } from './choice';
import { chooseRuntime } from './choice';
import { ImageUnavailableError } from './runtime';
import type { ImageSource, TaskRuntime } from './runtime';

/**
 * The requested runtime, once it has the images of the tasks. If the choice is `auto` and an engine answers but can't
 * get the images, for example because its registry can't be reached, tasks run as processes. Throws
 * ImageUnavailableError when neither has them.
 */
export async function chooseRuntimeWithImages(
  choice: RuntimeChoice,
  images: Iterable<ImageSource>,
  onProgress: (line: string) => void,
): Promise<TaskRuntime> {
  const runtime = await chooseRuntime(choice);
  onProgress(`tasks run as ${runtime.description}`);
  try {
    await prepareAll(runtime, images, onProgress);
    return runtime;
  } catch (error) {
    if (choice.kind !== 'auto' || runtime.kind !== 'container' || !(error instanceof ImageUnavailableError))
      throw error;
    onProgress(`tasks can't run in containers: ${error.message}`);
    return processesInstead(choice, images, onProgress, error);
  }
}

async function processesInstead(
  choice: RuntimeChoice,
  images: Iterable<ImageSource>,
  onProgress: (line: string) => void,
  reason: ImageUnavailableError,
): Promise<TaskRuntime> {
  try {
    const runtime = await chooseRuntime({ ...choice, kind: 'process' });
    onProgress(`tasks run as ${runtime.description} instead`);
    await prepareAll(runtime, images, onProgress);
    return runtime;
  } catch (error) {
    const instead = error instanceof Error ? error.message : String(error);
    throw new ImageUnavailableError(`${reason.message}; and as processes instead: ${instead}`, { cause: error });
  }
}

async function prepareAll(
  runtime: TaskRuntime,
  images: Iterable<ImageSource>,
  onProgress: (line: string) => void,
): Promise<void> {
  for (const image of images) await runtime.prepare(image, onProgress);
}
