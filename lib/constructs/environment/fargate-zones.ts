import { Aws, CfnCondition, Fn, Stack, Token } from 'aws-cdk-lib';
import type { CfnSubnet } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';

/**
 * Regions in which Fargate runs Linux tasks in some zones only, with the ids of those zones (Amazon ECS developer
 * guide, "Supported Regions for Amazon ECS on AWS Fargate"). If editions of that page differ, the shorter list counts.
 * Zone names don't identify zones: `us-west-1a` is a different zone in each account, but ids are the same in all of
 * them.
 */
export const FARGATE_ZONE_IDS: Readonly<Record<string, readonly string[]>> = {
  'ap-northeast-1': ['apne1-az1', 'apne1-az2', 'apne1-az4'],
  'ca-central-1': ['cac1-az1', 'cac1-az2'],
  'cn-north-1': ['cnn1-az1', 'cnn1-az2'],
  'us-west-1': ['usw1-az1', 'usw1-az3'],
};

/** Why a region doesn't have this many zones; undefined if it does, or if the region is only known at deployment. */
export function zoneCountProblem(region: string, zones: number): string | undefined {
  const ids = Token.isUnresolved(region) ? undefined : FARGATE_ZONE_IDS[region];
  return ids !== undefined && zones > ids.length
    ? `${zones} availability zones are too many for ${region}, where Fargate runs in ${ids.length} (${ids.join(', ')}): use maxAzs of ${ids.length} or less`
    : undefined;
}

/**
 * Puts subnets into zones that have Fargate: the first goes to the first such zone of the region, and so on. Subnets in
 * regions where every zone has it stay where they are. A region that is only known at deployment is evaluated there.
 */
export function useFargateZones(scope: Construct, subnets: readonly (readonly [CfnSubnet, position: number])[]): void {
  const { region } = Stack.of(scope);
  if (!Token.isUnresolved(region)) {
    const ids = FARGATE_ZONE_IDS[region];
    if (ids === undefined) return;
    for (const [subnet, position] of subnets) {
      subnet.availabilityZone = undefined;
      subnet.availabilityZoneId = ids[position];
    }
    return;
  }
  const regions = Object.entries(FARGATE_ZONE_IDS).map(([name, ids]) => {
    const id = `Is${name.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}`;
    return { ids, condition: new CfnCondition(scope, id, { expression: Fn.conditionEquals(region, name) }) };
  });
  const oneOfThem = new CfnCondition(scope, 'HasZonesWithoutFargate', {
    expression: Fn.conditionOr(...regions.map(({ condition }) => condition)),
  });
  for (const [subnet, position] of subnets) {
    acknowledgeFinding(subnet, 'CloudFormation-Validate::F3020', 'One of the two always is AWS::NoValue.');
    const idOf = (ids: readonly string[]): string => ids[Math.min(position, ids.length - 1)] ?? '';
    subnet.availabilityZone = Fn.conditionIf(oneOfThem.logicalId, Aws.NO_VALUE, subnet.availabilityZone).toString();
    subnet.availabilityZoneId = regions.reduce<unknown>(
      (otherwise, { ids, condition }) => Fn.conditionIf(condition.logicalId, idOf(ids), otherwise),
      Aws.NO_VALUE,
    ) as string;
  }
}
