import { MngrFargateError } from '../../contract/errors';
import type { CostGrouping } from '../../hosts/model/cost-report';

/** `host`, `day` or `tag=KEY`. */
export function parseCostGrouping(text: string): CostGrouping {
  if (text === 'host' || text === 'day') return { by: text };
  if (text.startsWith('tag=') && text.length > 'tag='.length) return { by: 'tag', tag: text.slice('tag='.length) };
  throw new MngrFargateError('usage', `--by takes host, day or tag=KEY, not ${JSON.stringify(text)}`, {
    hint: 'for example --by tag=team',
  });
}
