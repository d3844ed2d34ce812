import { RemovalPolicy } from 'aws-cdk-lib';
import type { ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { AccessPoint } from 'aws-cdk-lib/aws-efs';
import { FileSystem, ThroughputMode } from 'aws-cdk-lib/aws-efs';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface SandboxFileSystemProps {
  /** Where the service runs. */
  readonly vpc: IVpc;

  /** One a zone that the service may run in. */
  readonly subnets: ISubnet[];
}

/** The user that the service runs as, `node` of its image. */
const SERVICE_USER = '1000';

/**
 * Where the sandbox service keeps its database: encrypted, backed up daily by AWS Backup, reached over TLS alone, through
 * one access point, by who has been granted it.
 */
export class SandboxFileSystem extends Construct {
  readonly fileSystem: FileSystem;
  readonly accessPoint: AccessPoint;

  constructor(scope: Construct, id: string, props: SandboxFileSystemProps) {
    super(scope, id);
    const { vpc, subnets } = props;
    this.fileSystem = new FileSystem(this, 'FileSystem', {
      vpc,
      vpcSubnets: { subnets },
      securityGroup: new SecurityGroup(this, 'Group', {
        vpc,
        description: 'Database of the sandbox service',
        allowAllOutbound: false,
      }),
      encrypted: true,
      enableAutomaticBackups: true,
      // A small database that is written all the time would use up the credits of the bursting mode.
      throughputMode: ThroughputMode.ELASTIC,
      // Without its sandboxes and keys, which go with the stack, it is of no use; backups outlive it.
      removalPolicy: RemovalPolicy.DESTROY,
      // With a policy that allows nothing, only identities that are granted access have it.
      fileSystemPolicy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'TlsOnly',
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            actions: [
              'elasticfilesystem:ClientMount',
              'elasticfilesystem:ClientWrite',
              'elasticfilesystem:ClientRootAccess',
            ],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      }),
    });
    this.accessPoint = this.fileSystem.addAccessPoint('Service', {
      path: '/service',
      posixUser: { uid: SERVICE_USER, gid: SERVICE_USER },
      createAcl: { ownerUid: SERVICE_USER, ownerGid: SERVICE_USER, permissions: '0700' },
    });
  }

  /** Lets a role read and write through the access point. */
  grant(role: IRole): void {
    role.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'UseDatabase',
        actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
        resources: [this.fileSystem.fileSystemArn],
        conditions: { StringEquals: { 'elasticfilesystem:AccessPointArn': this.accessPoint.accessPointArn } },
      }),
    );
  }
}
