import { RegionInfo } from 'aws-cdk-lib/region-info';
import { nearest } from '../util/nearest';

/**
 * What the code of every region is made of: a country or area, with the partition's name where that isn't AWS's main one, a
 * direction, and a number. A region that this version of the CDK doesn't know yet has such a code too.
 */
const REGION =
  /^([a-z]{2}(-gov|-iso[a-z]?)?|eusc-[a-z]{2})-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]$/;

/** Why the text can't be the code of an AWS region, and which one was probably meant; undefined if it can be one. */
export function regionProblem(code: string): string | undefined {
  if (REGION.test(code)) return undefined;
  const meant = nearest(
    code,
    RegionInfo.regions.map(({ name }) => name),
  );
  const advice = meant === undefined ? 'use its code, for example us-east-1' : `did you mean ${meant}?`;
  return `${JSON.stringify(code)} is not an AWS region: ${advice}`;
}
