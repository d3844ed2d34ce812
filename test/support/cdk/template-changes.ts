import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { ROOT } from '../run/paths';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface CloudFormationTemplate {
  readonly Resources: Readonly<Record<string, Resource>>;
}

/** What an update from one template to another does to its resources, by their logical ids. */
export interface TemplateChanges {
  readonly created: readonly string[];
  readonly deleted: readonly string[];
  /** Deleted and made anew, since a property changes that CloudFormation can't change in place. */
  readonly replaced: readonly string[];
  readonly updated: readonly string[];
}

/**
 * Compares templates as CloudFormation would: by its own specification, which the CDK's CLI brings along, and with what
 * follows from a replacement, since whatever refers to the old resource then refers to a new one.
 */
export function templateChanges(before: CloudFormationTemplate, after: CloudFormationTemplate): TemplateChanges {
  const ids = Object.keys(after.Resources);
  const kept = ids.filter((id) => before.Resources[id]?.Type === after.Resources[id]?.Type);
  const changed = new Map(kept.map((id) => [id, changedProperties(before.Resources[id], after.Resources[id])]));
  const replaced = new Set<string>();
  for (let found = true; found;) {
    found = false;
    for (const id of kept) {
      const resource = after.Resources[id];
      const properties = changed.get(id);
      if (resource === undefined || properties === undefined) continue;
      for (const [name, value] of Object.entries(resource.Properties ?? {})) {
        if ([...replaced].some((other) => refersTo(value, other))) properties.add(name);
      }
      if (!replaced.has(id) && [...properties].some((name) => causesReplacement(resource.Type, name))) {
        replaced.add(id);
        found = true;
      }
    }
  }
  return {
    created: ids.filter((id) => !kept.includes(id)),
    deleted: Object.keys(before.Resources).filter((id) => !kept.includes(id)),
    replaced: [...replaced],
    updated: kept.filter((id) => !replaced.has(id) && (changed.get(id)?.size ?? 0) > 0),
  };
}

function changedProperties(before: Resource | undefined, after: Resource | undefined): Set<string> {
  const [old, next] = [before?.Properties ?? {}, after?.Properties ?? {}];
  const names = new Set([...Object.keys(old), ...Object.keys(next)]);
  return new Set([...names].filter((name) => !isDeepStrictEqual(old[name], next[name])));
}

/** Whether a property holds a reference to a resource: `Ref`, `Fn::GetAtt`, or a name in `Fn::Sub`. */
function refersTo(value: unknown, id: string): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, id));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => {
    if (key === 'Ref') return inner === id;
    if (key === 'Fn::GetAtt') return (Array.isArray(inner) ? inner[0] : String(inner).split('.')[0]) === id;
    if (key === 'Fn::Sub' && JSON.stringify(inner).includes(`\${${id}`)) return true;
    return refersTo(inner, id);
  });
}

type Specification = ReadonlyMap<string, Readonly<Record<string, { readonly causesReplacement?: string }>>>;
let specification: Specification | undefined;

/** Custom resources keep their physical id unless their handler gives another, which the constructs' tests look at. */
function causesReplacement(type: string, property: string): boolean {
  specification ??= readSpecification();
  if (type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource') return property === 'ServiceToken';
  const properties = specification.get(type);
  if (properties === undefined) throw new Error(`CloudFormation's specification has no ${type}`);
  return properties[property]?.causesReplacement === 'yes';
}

function readSpecification(): Specification {
  const packed = readFileSync(join(ROOT, 'node_modules/aws-cdk/db.json.gz'));
  const { schema } = JSON.parse(gunzipSync(packed).toString()) as {
    schema: {
      resource: { entities: Record<string, { cloudFormationType: string; properties: Record<string, object> }> };
    };
  };
  return new Map(
    Object.values(schema.resource.entities).map(({ cloudFormationType, properties }) => [
      cloudFormationType,
      properties,
    ]),
  );
}
