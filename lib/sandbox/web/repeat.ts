import type { Leave } from './app';

/**
 * Does something now, and again this many milliseconds after each time, until the page is left. Problems are told unless it
 * has been left meanwhile; `isLeft` tells the work.
 */
export function repeat(
  milliseconds: number,
  work: (isLeft: () => boolean) => Promise<void>,
  onProblem: (error: unknown) => void,
): Leave {
  let left = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const once = async (): Promise<void> => {
    await work(() => left).catch((error: unknown) => {
      if (!left) onProblem(error);
    });
    if (!left) timer = setTimeout(() => void once(), milliseconds);
  };
  void once();
  return () => {
    left = true;
    clearTimeout(timer);
  };
}
