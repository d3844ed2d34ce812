import { AwsError } from '../../wire/aws-error';

export const invalidParameter = (message: string): AwsError => new AwsError('InvalidParameterException', message);
export const clientError = (message: string): AwsError => new AwsError('ClientException', message);
export const clusterNotFound = (): AwsError => new AwsError('ClusterNotFoundException', 'Cluster not found.');
export const clusterInactive = (): AwsError =>
  new AwsError('ClusterNotFoundException', 'The referenced cluster was inactive.');
export const namespaceNotFound = (message: string): AwsError => new AwsError('NamespaceNotFoundException', message);
export const taskNotFound = (): AwsError => invalidParameter('The referenced task was not found.');
export const serviceNotFound = (): AwsError => new AwsError('ServiceNotFoundException', 'Service not found.');
export const serviceNotActive = (): AwsError => new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');
export const platformUnknown = (): AwsError =>
  new AwsError('PlatformUnknownException', 'The specified platform does not exist.');
export const throttled = (): AwsError => new AwsError('ThrottlingException', 'Rate exceeded');
