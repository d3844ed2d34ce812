/** The items, and `alive` whenever none came for a time. What still waits for an item ends with the signal of its call. */
export async function* withKeepAlive<T>(
  items: AsyncIterable<T>,
  silence: number | (() => number),
): AsyncGenerator<T | 'alive', void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    let pending: Promise<IteratorResult<T>> | undefined;
    for (;;) {
      pending ??= iterator.next();
      const next = await orAfter(pending, typeof silence === 'number' ? silence : silence());
      if (next === undefined) {
        yield 'alive';
        continue;
      }
      pending = undefined;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    void iterator.return?.()?.catch(() => undefined);
  }
}

/** The result of the promise; undefined if it takes longer. */
async function orAfter<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
