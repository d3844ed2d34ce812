/** The AWS CLI of the first major version, and with it boto3: clients that none of us wrote. */
export const AWS_CLI = { name: 'aws-cli', requirements: ['awscli==1.45.11', 'boto3==1.43.11'] };
