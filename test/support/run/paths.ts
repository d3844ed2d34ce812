import { packageRoot } from '../../../lib/util/package-root';

/** This repository's folder. */
export const ROOT = packageRoot();
