import * as z from 'zod';
import { parseCidr } from '../constructs/environment/cidr';

/**
 * Kinds of context values. `-c key=value` gives text, cdk.json gives JSON; both are read, so that
 * `-c spot=false` and `"spot": false` mean the same.
 */

/** Text that is not empty. */
export const text = z.string('must be text').trim().min(1, 'is empty: give a value or leave the key out');

/** Text of a given form; `form` says which in the error. */
export const textLike = (pattern: RegExp, form: string) =>
  text.refine((value) => pattern.test(value), {
    error: (issue) => `${JSON.stringify(issue.input)} is not ${form}`,
  });

/** A range of addresses, in its usual spelling. */
export const cidr = text.transform((value, context) => {
  try {
    return parseCidr(value).text;
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

export const imageReference = textLike(/^[^\s]+$/, 'an image reference: use registry/repository:tag');

export const subnetId = textLike(/^subnet-[0-9a-f]{8,17}$/, 'a subnet id: use subnet- and hexadecimal digits');

/** `true` or `false`. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')], {
  error: (issue) => `${JSON.stringify(issue.input)} is neither true nor false`,
});

/** A whole number from `min` to `max`. */
export const wholeNumber = (min: number, max: number) =>
  z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], {
      error: (issue) => `${JSON.stringify(issue.input)} is not a whole number`,
    })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: (issue) => `${JSON.stringify(issue.input)} is out of range: use a whole number from ${min} to ${max}`,
    });

/** One of the given words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: (issue) => `${JSON.stringify(issue.input)} is not one of ${words.join(', ')}` });

/** Several values: a JSON list, or text with commas between them. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? splitList(value) : value),
    z
      .array(item, 'must be a list: give values with commas between them, or a JSON list')
      .min(1, 'is empty: give a value or leave the key out'),
  );

function splitList(value: string): unknown {
  const trimmed = value.trim();
  if (!trimmed.startsWith('[')) return trimmed === '' ? [] : trimmed.split(',');
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return value;
  }
}
