import { placeInSelector } from '../../lib/tasks';

const arn = (resource: string, region = 'eu-west-1'): string => `arn:aws:ecs:${region}:123456789012:${resource}`;

test('an ARN carries cluster and region', () => {
  const place = { cluster: 'shop', region: 'eu-west-1' };
  expect(placeInSelector({ task: arn('task/shop/0123') })).toEqual(place);
  expect(placeInSelector({ service: arn('service/shop/web') })).toEqual(place);
  expect(placeInSelector({ cluster: arn('cluster/shop') })).toEqual({ ...place, cluster: arn('cluster/shop') });
  expect(placeInSelector({ cluster: 'shop', task: arn('task/shop/0123') })).toEqual(place);
  expect(placeInSelector({ cluster: 'shop', task: arn('task/0123') })).toEqual(place);
});

test('names say nothing', () => {
  expect(placeInSelector({ cluster: 'shop', service: 'web', task: '0123' })).toEqual({
    cluster: 'shop',
    region: undefined,
  });
});

test.each([
  [{ cluster: 'other', task: arn('task/shop/0123') }, /not of cluster other/],
  [{ service: arn('service/shop/web'), task: arn('task/shop/0123', 'us-east-1') }, /different regions/],
  [{ task: 'arn:aws:s3:::bucket' }, /not the ARN of a task/],
  [{ service: arn('task/shop/0123') }, /not the ARN of a service/],
])('%j is refused', (given, message) => {
  expect(() => placeInSelector(given)).toThrow(message);
});
