import type { NormalizedSchema } from '@smithy/core/schema';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
};

/** Characters that XML 1.0 can't carry, escaped or not; AWS puts U+FFFD in their place. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

export const escapeXml = (text: string): string =>
  text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"'\r]/g, (character) => ENTITIES[character] as string);

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

const scalar = (value: unknown): string => {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return escapeXml(String(value));
};

/** Elements of one member: a list that is flattened makes several. */
function writeMember(schema: NormalizedSchema, name: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (schema.isListSchema() && schema.getMergedTraits().xmlFlattened !== undefined) {
    return (value as unknown[]).map((entry) => element(name, writeXml(schema.getValueSchema(), entry))).join('');
  }
  return element(name, writeXml(schema, value));
}

/** The content of a value's XML element by its schema, without the element itself. */
export function writeXml(schema: NormalizedSchema, value: unknown): string {
  if (schema.isStructSchema()) {
    const members = value as Record<string, unknown>;
    return [...schema.structIterator()]
      .map(([name, member]) => writeMember(member, member.getMemberTraits().xmlName ?? name, members[name]))
      .join('');
  }
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const name = item.getMergedTraits().xmlName ?? 'member';
    return (value as unknown[]).map((entry) => element(name, writeXml(item, entry))).join('');
  }
  if (schema.isMapSchema()) {
    const keyName = schema.getKeySchema().getMergedTraits().xmlName ?? 'key';
    const item = schema.getValueSchema();
    const valueName = item.getMergedTraits().xmlName ?? 'value';
    return Object.entries(value as Record<string, unknown>)
      .map(([key, entry]) =>
        element('entry', element(keyName, escapeXml(key)) + element(valueName, writeXml(item, entry))),
      )
      .join('');
  }
  return scalar(value);
}
