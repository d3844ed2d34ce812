import * as z from 'zod';
import { documentedAs } from './documented';

/** Unix milliseconds. */
export const time = z.int().nonnegative();

/** Ids that can stand in a URL as one part of its path. */
export const newSessionId = z
  .string()
  .min(1)
  .max(128)
  // eslint-disable-next-line no-control-regex
  .regex(/^(?!\.{1,2}$)[^/\u0000-\u001f\u007f-\u009f]+$/, {
    error:
      'has a character that is not allowed: use 1 to 128 characters without /, control characters, and not . or ..',
  });

/** In a path any text will do: one that isn't an id is not found. */
export const sessionParams = z.strictObject({ id: z.string() });

export const eventParams = z.strictObject({ id: z.string(), seq: integerText({ min: 1 }) });

interface IntegerRange {
  readonly min: number;
  readonly max?: number;
}

/** A whole number in a query or a path. */
export function integerText({ min, max = Number.MAX_SAFE_INTEGER }: IntegerRange) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const schema = z
    .string()
    .refine((text) => /^\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number ${range}`,
    })
    .transform(Number);
  return documentedAs(schema, { type: 'integer', minimum: min, maximum: max });
}

/** A number of seconds in a query, with a fraction if need be. */
export function secondsText(max: number) {
  const schema = z
    .string()
    .refine((text) => /^\d{1,6}(\.\d{1,6})?$/.test(text) && Number(text) <= max, {
      error: `must be a number of seconds from 0 to ${max}`,
    })
    .transform(Number);
  return documentedAs(schema, { type: 'number', minimum: 0, maximum: max });
}

/** `true` or `false` in a query; a name without a value is true. */
export const booleanText = documentedAs(
  z
    .enum(['true', 'false', '1', '0', ''], { error: 'must be true or false' })
    .transform((text) => text !== 'false' && text !== '0'),
  { type: 'boolean' },
);

/** A path in the sandbox; one without a leading / starts in /workspace. */
export const filePath = z
  .string()
  .min(1)
  .max(4096)
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000]*$/, { error: 'has a NUL, which no path can have: leave it out' });

/** Permission bits as chmod(1) takes them. */
export const fileMode = z
  .string()
  .regex(/^0?[0-7]{3,4}$/, { error: 'must be permission bits in octal, as text: for example "0644"' });

/** Text for one line of a header, a name or an argument. */
export const lineOf = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f]*$/, { error: 'has a control character: leave it out' });
