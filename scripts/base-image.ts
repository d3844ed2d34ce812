import { ensureBaseImage } from '../test/support/host/base-image';
import { canInstall, installPackages } from './prerequisites';

/**
 * Gets the agent image's base into the engine where no registry answers: makes it with debootstrap, which is installed
 * where it is missing and can be.
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
