import type { Template } from 'aws-cdk-lib/assertions';

/**
 * The template for a snapshot. Hashes of assets change with every edit of an asset's files, which are not what a
 * template's snapshot is about.
 */
export const snapshotOf = (template: Template): unknown =>
  JSON.parse(JSON.stringify(template.toJSON()).replace(/\b[0-9a-f]{64}\b/g, '<asset hash>'));
