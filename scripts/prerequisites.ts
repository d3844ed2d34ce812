import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { missingPrograms, packageSource } from '../lib/local/runtimes/prerequisites';
import { browserProgram } from '../test/support/run/browser';

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Makes sure that this machine can run hosts as processes, which the tests need, and the demo if no container engine
 * answers. As root on Debian or a derivative, installs what is missing; elsewhere, prints what is missing and the command
 * that installs it, and exits with 1.
 */
export function ensureSystemPackages(): void {
  const missing = missingPrograms();
  if (missing === undefined) return;
  if (!canInstall()) {
    const names = missing.programs.join(', ');
    console.error(`missing on this machine: ${names}\ninstall them and run this again:\n  ${missing.command}`);
    process.exit(1);
  }
  const failure = installPackages(missing.packages);
  if (failure === undefined) return;
  console.error(failure);
  process.exit(1);
}

/** Installs a browser for the tests of pages where it can. Where it can't, these tests are skipped, and the run says so. */
export function offerBrowser(): void {
  if (browserProgram.missing() === undefined || !canInstall()) return;
  const failure = installPackages(['chromium']);
  if (failure !== undefined) console.error(failure);
}

/** True as root on Debian or a derivative. */
export const canInstall = (): boolean => packageSource() === 'apt' && process.getuid?.() === 0;

/** Installs system packages and reports it on one line. Returns undefined if it worked, otherwise what went wrong. */
export function installPackages(packages: readonly string[]): string | undefined {
  process.stdout.write(`installing ${packages.join(' ')} … `);
  const start = Date.now();
  const failure = withoutStartingServices(() => install(packages));
  console.log(failure === undefined ? `done (${((Date.now() - start) / 1000).toFixed(1)} s)` : 'failed');
  return failure;
}

/** Package lists can be old or missing, so they are updated if the first attempt fails. */
function install(packages: readonly string[]): string | undefined {
  const tryIt = (): string | undefined =>
    run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages);
  return tryIt() === undefined ? undefined : (run('apt-get', 'update', '-qq') ?? tryIt());
}

/**
 * Hosts start their own sshd. When openssh-server is installed, Debian starts and enables the machine's sshd, which would open
 * port 22 to the network; this prevents it. A policy-rc.d that exits with 101 forbids starting services (invoke-rc.d(8)).
 */
function withoutStartingServices(work: () => string | undefined): string | undefined {
  const sshdIsNew = !existsSync('/usr/sbin/sshd');
  const policyIsOurs = !existsSync(POLICY);
  if (policyIsOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return work();
  } finally {
    if (policyIsOurs) rmSync(POLICY);
    if (sshdIsNew) run('systemctl', 'disable', '--quiet', 'ssh.service', 'ssh.socket');
  }
}

/** Returns undefined if the program succeeded, otherwise its output. */
function run(program: string, ...args: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env });
  return status === 0 ? undefined : `${program} ${args.join(' ')}: ${error?.message ?? `${stdout}${stderr}`.trim()}`;
}

if (require.main === module) ensureSystemPackages();
