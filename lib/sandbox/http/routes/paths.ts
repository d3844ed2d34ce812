import { WORKSPACE } from '../../../contract/sandboxd';

/** A path as the engine takes it. What `..` and links in it lead to is the sandbox's own business: its user's rights bound it. */
export const inWorkspace = (path: string): string => (path.startsWith('/') ? path : `${WORKSPACE}/${path}`);

/** Permission bits from their octal text. */
export const modeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number.parseInt(text, 8);
