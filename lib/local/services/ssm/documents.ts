import { AwsError } from '../../wire/aws-error';

/** What a session's document and its parameters mean. */
export type PortProperties = Readonly<Record<string, string>> & {
  readonly portNumber: string;
  /** Only for a host that the container reaches. */
  readonly host?: string;
};

interface PortDocument {
  /** The document's parameters and their defaults; undefined if there is none and the caller must give it. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly type?: 'LocalPortForwarding';
}

/** AWS's own documents for ports, with the defaults that they have. */
const DOCUMENTS: Readonly<Record<string, PortDocument>> = {
  'AWS-StartSSHSession': { parameters: { portNumber: '22' } },
  'AWS-StartPortForwardingSession': {
    parameters: { portNumber: '80', localPortNumber: '0' },
    type: 'LocalPortForwarding',
  },
  'AWS-StartPortForwardingSessionToRemoteHost': {
    parameters: { portNumber: '80', localPortNumber: '0', host: 'localhost' },
    type: 'LocalPortForwarding',
  },
};

const PORT = /^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/;
const HOST = /^[^,$^&()!;'"<>`{}[\]|#=]{3,}$/;

/** Throws InvalidDocument for documents that aren't known, and ValidationException for parameters that they don't take. */
export function propertiesOf(
  documentName: string,
  parameters: Readonly<Record<string, readonly string[]>>,
): PortProperties {
  const document = DOCUMENTS[documentName];
  if (document === undefined) {
    throw new AwsError('InvalidDocument', `Document with name ${documentName} does not exist.`);
  }
  const values: Record<string, string> = {};
  for (const [name, given] of Object.entries(parameters)) {
    if (!(name in document.parameters)) {
      throw validation(`Parameters not allowed: ${name} is not a parameter of ${documentName}.`);
    }
    const [value = '', ...others] = given;
    const pattern = name === 'host' ? HOST : PORT;
    if (others.length > 0 || !pattern.test(value)) {
      throw validation(`Parameter "${name}" has value "${given.join(',')}" not matching ${pattern.source}.`);
    }
    values[name] = value;
  }
  const properties = { ...document.parameters, ...values } as PortProperties;
  return document.type === undefined ? properties : { ...properties, type: document.type };
}

const validation = (message: string): AwsError => new AwsError('ValidationException', message);
