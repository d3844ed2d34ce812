import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withMachineLock } from '../run/machine-lock';

const run = promisify(execFile);

/** The agent image's base unless a test names another. */
export const BASE_IMAGE = 'debian:bookworm-slim';

/** What Debian's slim images leave out, in dpkg's words (debuerreotype, `debuerreotype-slimify`). */
const SLIM_RULES = `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
`;

/**
 * Sees to it that the engine has the image: as it is, pulled, or, where no registry answers, made from the machine's
 * Debian mirror by debootstrap (root, package debootstrap). A made image stays, so it is made once on a machine.
 */
export async function ensureBaseImage(reference = BASE_IMAGE): Promise<string> {
  if (await hasImage(reference)) return reference;
  return withMachineLock('base-image', async () => {
    if (await hasImage(reference)) return reference;
    try {
      await run('docker', ['pull', '--quiet', reference]);
    } catch {
      await makeBaseImage(reference);
    }
    return reference;
  });
}

export const hasImage = (reference: string): Promise<boolean> =>
  run('docker', ['image', 'inspect', '--format', '{{.Id}}', reference]).then(
    () => true,
    () => false,
  );

async function makeBaseImage(reference: string): Promise<void> {
  const suite = /^debian:(\w+)-slim$/.exec(reference)?.[1];
  if (suite === undefined)
    throw new Error(`${reference} can't be pulled, and only debian:<suite>-slim can be made here`);
  const folder = await mkdtemp(join(tmpdir(), 'mngr-base-image-'));
  const root = join(folder, 'root');
  try {
    await run('debootstrap', ['--variant=minbase', suite, root, await debianMirror()], { maxBuffer: 64 * 1024 * 1024 });
    await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/docker'), SLIM_RULES);
    await slim(root);
    await importTree(root, reference);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The mirror of the machine's own sources, for example behind a company's proxy; else debootstrap's default. */
async function debianMirror(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(() => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const mirror = /^(?:deb\s+(?:\[.*\]\s+)?|URIs:\s*)(https?:\/\/\S+\/debian)\/?(?=\s|$)/m.exec(text)?.[1];
    if (mirror !== undefined) return mirror;
  }
  return '';
}

async function slim(root: string): Promise<void> {
  const places = [
    'usr/share/man',
    'usr/share/info',
    'usr/share/locale',
    'usr/share/lintian',
    'var/lib/apt/lists',
    'var/cache/apt',
  ];
  for (const place of places) {
    const entries = await readdir(join(root, place)).catch(() => []);
    for (const entry of entries.filter((name) => name !== 'locale.alias')) {
      await rm(join(root, place, entry), { recursive: true, force: true });
    }
  }
  await run('find', [join(root, 'usr/share/doc'), '-type', 'f', '!', '-name', 'copyright', '-delete']);
}

function importTree(root: string, reference: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const tar = spawn('tar', ['--numeric-owner', '-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const docker = spawn('docker', ['import', '--change', 'CMD ["bash"]', '-', reference], {
      stdio: [tar.stdout, 'ignore', 'inherit'],
    });
    docker.once('error', reject);
    docker.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`docker import of ${reference} ended with ${code}`)),
    );
  });
}
