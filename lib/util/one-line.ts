/** A message of somebody else's as part of one of ours: on one line, without the period at its end. */
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
