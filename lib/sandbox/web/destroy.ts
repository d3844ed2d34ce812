import type { Sandbox } from '../client';
import { confirmDialog } from './dialogs';
import { say } from './messages';

/** Destroys a sandbox if its user means it. Returns whether it did. */
export async function destroyAsked(box: Sandbox): Promise<boolean> {
  const text = 'Its processes and files are gone then. The history of its commands stays for a while.';
  if (!(await confirmDialog(`Destroy ${box.id}?`, text, 'Destroy'))) return false;
  await box.destroy();
  say(`${box.id} is destroyed`);
  return true;
}
