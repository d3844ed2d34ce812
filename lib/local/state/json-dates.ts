const TAG = '$date';

/** JSON in which dates stay dates: `{"$date": <milliseconds>}`. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string, item: unknown) {
    const original = this[key];
    return original instanceof Date ? { [TAG]: original.getTime() } : item;
  });
}

export function parse(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) =>
    typeof item === 'object' && item !== null && TAG in item ? new Date(item[TAG] as number) : item,
  );
}
