import type { World } from '../world';
import { cloudFormationService } from './cloudformation/service';
import { cloudTrailService } from './cloudtrail/service';
import { ec2Service } from './ec2/service';
import { ecsService } from './ecs/service';
import { iamService } from './iam/service';
import { kmsService } from './kms/service';
import { logsService } from './logs/service';
import type { Service } from './service';
import { ssmService } from './ssm/service';
import { stsService } from './sts/service';

/** Every API that the endpoint serves. A further one is a folder beside these and a line here. */
export const SERVICES: readonly ((world: World) => Service)[] = [
  ecsService,
  ec2Service,
  stsService,
  iamService,
  cloudFormationService,
  logsService,
  ssmService,
  kmsService,
  cloudTrailService,
];
