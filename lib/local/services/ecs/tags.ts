import type { Tag } from '@aws-sdk/client-ecs';
import { MAX_TAGS_PER_TASK } from '../../../contract/tags';
import { invalidParameter } from './errors';

/** Characters. */
const MAX_KEY = 128;
const MAX_VALUE = 256;
/** ECS developer guide, "Tag restrictions": letters, spaces and numbers of UTF-8, and `+ - = . _ : / @`. */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Throws unless these tags may be put on a resource. */
export function validateTags(tags: readonly Tag[]): void {
  if (tags.length > MAX_TAGS_PER_TASK) {
    throw invalidParameter(`Tags can not be more than ${MAX_TAGS_PER_TASK}: ${tags.length} were given`);
  }
  const keys = new Set<string>();
  for (const { key, value } of tags) {
    if (key === undefined || key === '') throw invalidParameter('Tag key can not be blank.');
    if (key.length > MAX_KEY) throw invalidParameter(`Tag key is longer than ${MAX_KEY} characters: ${key}`);
    if ((value ?? '').length > MAX_VALUE) {
      throw invalidParameter(`Tag value of ${key} is longer than ${MAX_VALUE} characters`);
    }
    if (!ALLOWED.test(key) || !ALLOWED.test(value ?? '')) {
      throw invalidParameter(`The tag ${key} has characters other than letters, numbers, spaces and _.:/=+-@`);
    }
    if (/^aws:/i.test(key)) throw invalidParameter('aws: prefixed tag key names are not allowed for external use.');
    if (keys.has(key)) throw invalidParameter(`Duplicate tag keys found: ${key}`);
    keys.add(key);
  }
}

/** The tags with others added, which replace equal keys. Throws when the result is more than ECS allows. */
export function mergeTags(present: readonly Tag[], added: readonly Tag[]): Tag[] {
  const merged = new Map(present.map(({ key, value }) => [key, value]));
  for (const { key, value } of added) merged.set(key, value ?? '');
  const tags = [...merged].map(([key, value]) => ({ key, value }));
  if (tags.length > MAX_TAGS_PER_TASK) {
    throw invalidParameter(`Tags can not be more than ${MAX_TAGS_PER_TASK}: ${tags.length} would be`);
  }
  return tags;
}

/** Condition keys of a request's tags: `aws:RequestTag/<key>` and `aws:TagKeys`. */
export function requestTagContext(tags: readonly Tag[]): Record<string, string | string[] | undefined> {
  if (tags.length === 0) return {};
  return {
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:RequestTag/${key}`, value ?? ''])),
    'aws:TagKeys': tags.map(({ key }) => key ?? ''),
  };
}

/** Condition keys of a resource's tags, under both prefixes that ECS uses. */
export function resourceTagContext(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(
    tags.flatMap(({ key, value }) => [
      [`aws:ResourceTag/${key}`, value ?? ''],
      [`ecs:ResourceTag/${key}`, value ?? ''],
    ]),
  );
}
