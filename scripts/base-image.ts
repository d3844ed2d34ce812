import { ensureBaseImage } from '../test/support/host/base-image';
import { canInstall, installPackages } from './prerequisites';

/**
 * Provides the agent image's base to the container engine if no registry answers: builds it with debootstrap, and installs
 * debootstrap if it is missing.
 */
export async function prepareBaseImage(): Promise<void> {
  try {
    await ensureBaseImage();
  } catch (error) {
    if (!canInstall()) throw error;
    const failure = installPackages(['debootstrap']);
    if (failure !== undefined) throw new Error(failure, { cause: error });
    await ensureBaseImage();
  }
}
