import { fnCidr } from './cidr';

/** What intrinsic functions look up: the template's parameters, resources, mappings, conditions and other stacks' exports. */
export interface ResolutionScope {
  /**
   * Value of a parameter, pseudo parameter, or resource (its physical id); undefined if there is none with that name.
   */
  ref(name: string): unknown;
  /** A resource's attribute. */
  attribute(logicalId: string, attribute: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, topKey: string, secondKey: string): unknown;
  importValue(name: string): unknown;
  availabilityZones(region: string): readonly string[];
}

/** The template uses something that can't be resolved. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** Stands for `AWS::NoValue`: the property or list item it is given to is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown, what: string): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(`${what} must be a string, not ${JSON.stringify(value)}`);
};

const list = (value: unknown, what: string): unknown[] => {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`${what} must be a list, not ${JSON.stringify(value)}`);
};

type Intrinsic = (argument: unknown, scope: ResolutionScope) => unknown;

const resolveRef: Intrinsic = (argument, scope) => {
  const name = text(argument, 'Ref');
  if (name === 'AWS::NoValue') return NO_VALUE;
  const value = scope.ref(name);
  if (value === undefined)
    throw new TemplateError(`Ref to "${name}", which is not a parameter or resource of the template`);
  return value;
};

const getAttribute: Intrinsic = (argument, scope) => {
  const [logicalId, ...rest] = Array.isArray(argument)
    ? argument.map((part) => text(resolve(part, scope), 'Fn::GetAtt'))
    : text(argument, 'Fn::GetAtt').split('.');
  return scope.attribute(logicalId ?? '', rest.join('.'));
};

const substitute: Intrinsic = (argument, scope) => {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const own = isObject(variables) ? variables : {};
  return text(template, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_, escaped: string, name: string) => {
    if (escaped !== '') return `\${${name}}`;
    if (Object.hasOwn(own, name)) return text(resolve(own[name], scope), `Fn::Sub variable ${name}`);
    const value = name.includes('.') ? getAttribute(name, scope) : resolveRef(name, scope);
    return text(value, `Fn::Sub reference ${name}`);
  });
};

const conditionOf = (value: unknown, scope: ResolutionScope): boolean => {
  if (isObject(value) && typeof value.Condition === 'string') return scope.condition(value.Condition);
  const resolved = resolve(value, scope);
  if (typeof resolved === 'boolean') return resolved;
  if (resolved === 'true' || resolved === 'false') return resolved === 'true';
  throw new TemplateError(`${JSON.stringify(value)} is not a condition`);
};

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: resolveRef,
  'Fn::GetAtt': getAttribute,
  'Fn::Sub': substitute,
  'Fn::Join': (argument, scope) => {
    const [delimiter, parts] = list(argument, 'Fn::Join');
    return list(resolve(parts, scope), 'the list of Fn::Join')
      .map((part) => text(part, 'a part of Fn::Join'))
      .join(text(delimiter, 'the delimiter of Fn::Join'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, items] = list(argument, 'Fn::Select');
    const values = list(resolve(items, scope), 'the list of Fn::Select');
    const at = Number(resolve(index, scope));
    if (values[at] === undefined) throw new TemplateError(`Fn::Select of item ${at} of a list of ${values.length}`);
    return values[at];
  },
  'Fn::Split': (argument, scope) => {
    const [delimiter, source] = list(argument, 'Fn::Split');
    return text(resolve(source, scope), 'Fn::Split').split(text(delimiter, 'the delimiter of Fn::Split'));
  },
  'Fn::GetAZs': (argument, scope) => {
    const region = text(resolve(argument, scope), 'Fn::GetAZs');
    return scope.availabilityZones(region === '' ? text(scope.ref('AWS::Region'), 'AWS::Region') : region);
  },
  'Fn::Cidr': (argument, scope) => {
    const [block, count, bits] = list(argument, 'Fn::Cidr').map((part) => resolve(part, scope));
    return fnCidr(text(block, 'Fn::Cidr'), Number(count), Number(bits));
  },
  'Fn::Base64': (argument, scope) => Buffer.from(text(resolve(argument, scope), 'Fn::Base64')).toString('base64'),
  'Fn::FindInMap': (argument, scope) => {
    const [map, top, second] = list(argument, 'Fn::FindInMap').map((part) =>
      text(resolve(part, scope), 'Fn::FindInMap'),
    );
    return scope.mapping(map ?? '', top ?? '', second ?? '');
  },
  'Fn::ImportValue': (argument, scope) => scope.importValue(text(resolve(argument, scope), 'Fn::ImportValue')),
  'Fn::If': (argument, scope) => {
    const [condition, whenTrue, whenFalse] = list(argument, 'Fn::If');
    return resolve(scope.condition(text(condition, 'the condition of Fn::If')) ? whenTrue : whenFalse, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = list(argument, 'Fn::Equals').map((part) => resolve(part, scope));
    return JSON.stringify(left) === JSON.stringify(right);
  },
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((part) => conditionOf(part, scope)),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((part) => conditionOf(part, scope)),
  'Fn::Not': (argument, scope) => !list(argument, 'Fn::Not').every((part) => conditionOf(part, scope)),
};

/** A template value with its intrinsic functions resolved. Throws TemplateError. */
export function resolve(value: unknown, scope: ResolutionScope): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const [key, ...others] = Object.keys(value);
  if (key !== undefined && others.length === 0) {
    const intrinsic = Object.hasOwn(INTRINSICS, key) ? INTRINSICS[key] : undefined;
    if (intrinsic !== undefined) return intrinsic(value[key], scope);
    if (key.startsWith('Fn::')) throw new TemplateError(`the intrinsic function ${key} is not supported`);
  }
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => [name, resolve(item, scope)] as const)
      .filter(([, item]) => item !== NO_VALUE),
  );
}
