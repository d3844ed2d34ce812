/** What most services say of required members that the input lacks, by their paths. */
export const missingMembersText = (paths: readonly string[]): string =>
  `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected: ` +
  paths.map((path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`).join('; ');
