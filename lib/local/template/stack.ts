import { NO_VALUE, TemplateError, resolve } from './intrinsics';
import type { ResolutionScope } from './intrinsics';
import { REVISION, digest, physicalResource } from './physical';
import type { PhysicalResource, Place } from './physical';

/** A CloudFormation template as JSON. */
export interface Template {
  readonly Description?: string;
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly NoEcho?: boolean;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface TemplateOutput {
  readonly Value: unknown;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: unknown };
}

export interface StackResource extends PhysicalResource {
  readonly logicalId: string;
  readonly type: string;
  /** Resolved when first read. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

/** A deployed stack, as CloudFormation would know it. */
export interface Stack {
  readonly place: Place;
  /** ARN */
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly parameters: ReadonlyMap<string, unknown>;
  readonly resources: ReadonlyMap<string, StackResource>;
  readonly outputs: readonly StackOutput[];
}

export interface StackOptions {
  readonly place: Omit<Place, 'partition'>;
  /** Values for parameters without a default. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Values behind `AWS::SSM::Parameter::Value` parameters, by the SSM parameter's name. */
  readonly ssmParameters?: Readonly<Record<string, string>>;
  /** Revisions of the stack's task definitions by logical id; 1 when absent. */
  readonly revisions?: Readonly<Record<string, number>>;
  /** Exports of other stacks. */
  readonly exports?: Readonly<Record<string, string>>;
}

/** SSM parameters that templates refer to and every account has: the CDK's bootstrap version. */
const SSM_DEFAULTS: Readonly<Record<string, string>> = { '/cdk-bootstrap/hnb659fds/version': '30' };

const ZONE_LETTERS = ['a', 'b', 'c'];
export const availabilityZonesOf = (region: string): string[] => ZONE_LETTERS.map((letter) => `${region}${letter}`);

function parameterValues(template: Template, options: StackOptions): Map<string, unknown> {
  const ssm = { ...SSM_DEFAULTS, ...options.ssmParameters };
  return new Map(
    Object.entries(template.Parameters ?? {}).map(([name, { Type, Default }]) => {
      const given = options.parameters?.[name] ?? Default;
      if (given === undefined) throw new TemplateError(`the parameter ${name} has no default and no value was given`);
      if (Type.startsWith('AWS::SSM::Parameter::Value<')) {
        const value = ssm[String(given)];
        if (value === undefined) throw new TemplateError(`the SSM parameter ${given} of ${name} has no value`);
        return [name, Type.includes('List<') ? value.split(',') : value];
      }
      return [name, Type === 'CommaDelimitedList' || Type.startsWith('List<') ? String(given).split(',') : given];
    }),
  );
}

/** Resolves a template's resources and outputs, each when it is first asked for. */
class StackScope implements ResolutionScope {
  readonly parameters: Map<string, unknown>;
  private readonly conditions = new Map<string, boolean>();
  private readonly resolved = new Map<string, StackResource>();
  private readonly resolving = new Set<string>();
  private readonly pseudo: Readonly<Record<string, unknown>>;

  constructor(
    private readonly template: Template,
    readonly place: Place,
    readonly stackId: string,
    private readonly options: StackOptions,
  ) {
    this.parameters = parameterValues(template, options);
    this.pseudo = {
      'AWS::Region': place.region,
      'AWS::AccountId': place.accountId,
      'AWS::Partition': place.partition,
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': place.stackName,
      'AWS::StackId': stackId,
      'AWS::NotificationARNs': [],
      'AWS::NoValue': NO_VALUE,
    };
  }

  ref(name: string): unknown {
    if (Object.hasOwn(this.pseudo, name)) return this.pseudo[name];
    if (this.parameters.has(name)) return this.parameters.get(name);
    return Object.hasOwn(this.template.Resources, name) ? this.resource(name).physicalId : undefined;
  }

  attribute(logicalId: string, attribute: string): unknown {
    const resource = this.resource(logicalId);
    if (Object.hasOwn(resource.attributes, attribute)) return resource.attributes[attribute];
    return `${resource.physicalId}.${attribute}`;
  }

  condition(name: string): boolean {
    const known = this.conditions.get(name);
    if (known !== undefined) return known;
    const definition = this.template.Conditions?.[name];
    if (definition === undefined) throw new TemplateError(`the template has no condition ${name}`);
    const value = resolve(definition, this) === true;
    this.conditions.set(name, value);
    return value;
  }

  mapping(map: string, topKey: string, secondKey: string): unknown {
    const value = this.template.Mappings?.[map]?.[topKey]?.[secondKey];
    if (value === undefined) throw new TemplateError(`the template has no mapping ${map}.${topKey}.${secondKey}`);
    return value;
  }

  importValue(name: string): unknown {
    const value = this.options.exports?.[name];
    if (value === undefined) throw new TemplateError(`no stack exports ${name}`);
    return value;
  }

  availabilityZones(region: string): string[] {
    return availabilityZonesOf(region);
  }

  resource(logicalId: string): StackResource {
    const known = this.resolved.get(logicalId);
    if (known !== undefined) return known;
    const definition = this.template.Resources[logicalId];
    if (definition === undefined) throw new TemplateError(`the template has no resource ${logicalId}`);
    if (this.resolving.has(logicalId)) throw new TemplateError(`the resource ${logicalId} refers to itself`);
    this.resolving.add(logicalId);
    const resolveProperties = (): Record<string, unknown> =>
      resolve(definition.Properties ?? {}, this) as Record<string, unknown>;
    const resource = {
      logicalId,
      type: definition.Type,
      ...physicalResource(this.place, definition.Type, logicalId, {
        ...this.identifyingProperties(definition),
        [REVISION]: this.options.revisions?.[logicalId],
      }),
      get properties(): Record<string, unknown> {
        const properties = resolveProperties();
        Object.defineProperty(this, 'properties', { value: properties, enumerable: true });
        return properties;
      },
    };
    this.resolving.delete(logicalId);
    this.resolved.set(logicalId, resource);
    return resource;
  }

  /** The properties that ids and attributes are made of. Others may refer back to the resource itself. */
  private identifyingProperties(definition: TemplateResource): Record<string, unknown> {
    const wanted = /^(?:\w*Name|Name|Path|Cluster|Family|CidrBlock|VpcId|AvailabilityZone)$/;
    const entries = Object.entries(definition.Properties ?? {}).filter(([name]) => wanted.test(name));
    return resolve(Object.fromEntries(entries), this) as Record<string, unknown>;
  }
}

const outputText = (value: unknown): string => (typeof value === 'string' ? value : String(value));

/** The stack that deploying the template makes. Throws TemplateError when the template can't be resolved. */
export function instantiate(template: Template, options: StackOptions): Stack {
  const place: Place = { partition: 'aws', ...options.place };
  const hex = digest(place, 'stack', 32);
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  const id = `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/${place.stackName}/${uuid}`;
  const scope = new StackScope(template, place, id, options);
  const exists = ({ Condition }: { readonly Condition?: string }): boolean =>
    Condition === undefined || scope.condition(Condition);
  return {
    place,
    id,
    name: place.stackName,
    description: template.Description,
    parameters: scope.parameters,
    resources: new Map(
      Object.entries(template.Resources)
        .filter(([, resource]) => exists(resource))
        .map(([logicalId]) => [logicalId, scope.resource(logicalId)]),
    ),
    outputs: Object.entries(template.Outputs ?? {})
      .filter(([, output]) => exists(output))
      .map(([key, output]) => ({
        key,
        value: outputText(resolve(output.Value, scope)),
        description: output.Description,
        exportName: output.Export === undefined ? undefined : outputText(resolve(output.Export.Name, scope)),
      })),
  };
}

/** The stack's resources of a type. */
export const resourcesOfType = (stack: Stack, type: string): StackResource[] =>
  [...stack.resources.values()].filter((resource) => resource.type === type);
