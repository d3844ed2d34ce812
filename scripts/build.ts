import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildOptions, Plugin } from 'esbuild';
import { build } from 'esbuild';
import { builtLambda, LAMBDA_BUNDLE, LAMBDA_ENTRY, lambdaBundleOptions } from '../lib/constructs/lambda/lambda-bundle';

/**
 * Builds dist/:
 * - dist/{bin,lib}: every source as a CommonJS module with its types, for `import 'mngr-fargate'` and the CDK app;
 * - dist/lambda/NAME/index.js: each Lambda handler in one file, which the CDK app uploads;
 * - dist/cli: the CLI and the local endpoint's daemon as ES modules, split at their `import()`s. A command reads one or two
 *   files instead of the AWS SDK's thousand files, and `--version` reads none of the SDK;
 * - dist/bin/mngr-fargate.js: starts dist/cli;
 * - dist/sandbox-service/sandbox-service.mjs: the program of the sandbox service's image;
 * - dist/sandboxd/sandboxd.js: the exec engine of sandboxes in one file, for the host's own Node;
 * - dist/web: the sandbox service's page, for browsers.
 *
 * Types are checked and declared at the same time; `--skip-types` skips that.
 */
const ROOT = join(__dirname, '..');
const DIST = join(ROOT, 'dist');
const FOLDERS = ['bin', 'lib'];
const NODE = 'node20.19';
/** The service's page: TypeScript for browsers, and the files that are served as they are. */
const PAGE = join('lib', 'sandbox', 'web');
const PAGE_FILES = ['index.html', 'icon.svg'];
/** Browsers of the last two years. */
const BROWSERS = ['chrome130', 'firefox132', 'safari18'];
/** Debian bookworm's, which is in the image. */
const NODE_IN_IMAGE = 'node18';

/** The programs in dist/cli, by name. */
const PROGRAMS = { 'mngr-fargate': 'bin/mngr-fargate.ts', 'local-daemon': 'lib/local/daemon/main.ts' };

/** Packages that stay in node_modules: ssh2 and better-sqlite3 have native parts, dockerode reads files beside its own. */
const EXTERNAL = ['ssh2', 'cpu-features', 'dockerode', 'better-sqlite3', 'aws-cdk-lib', 'constructs'];

/** Bundled CommonJS packages use these names, which ES modules don't have. */
const COMMONJS_NAMES = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __directoryOf } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __directoryOf(__filename);',
].join('\n');

/** Keeps V8's compiled code between runs (Node 22.8 and later), in a folder that no other user can write to. */
const START_CLI = `#!/usr/bin/env node
'use strict';
const { join } = require('node:path');
const cache = process.env.XDG_CACHE_HOME || join(require('node:os').homedir(), '.cache');
require('node:module').enableCompileCache?.(join(cache, 'mngr-fargate'));
void import('../cli/mngr-fargate.mjs');
`;

/**
 * External packages are CommonJS. An ES module can't import their names one by one, as the sources do, so they are reached
 * through a module that requires them.
 */
const requireExternal: Plugin = {
  name: 'require-external',
  setup: ({ onResolve, onLoad }) => {
    const namespace = 'require-external';
    onResolve({ filter: new RegExp(`^(${EXTERNAL.join('|')})(/|$)`) }, ({ path, importer }) =>
      importer === path ? { path, external: true } : { path, namespace },
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      resolveDir: ROOT,
    }));
  },
};

/**
 * lib/local exports the endpoint for programs that run it in their own process. The command line never does that, and this
 * keeps the endpoint out of its bundle.
 */
const endpointElsewhere: Plugin = {
  name: 'endpoint-elsewhere',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/endpoint\.js$/ }, ({ importer, kind }) =>
      kind === 'dynamic-import' && importer.endsWith(join('lib', 'local', 'start-endpoint.ts'))
        ? { path: '../lib/local/endpoint.js', external: true }
        : undefined,
    );
  },
};

async function main(): Promise<void> {
  const sources = FOLDERS.flatMap((folder) => sourcesIn(join(ROOT, folder)));
  removeStale(new Set(sources.map((source) => join(DIST, relative(ROOT, source)).replace(/\.ts$/, ''))));
  const types = process.argv.includes('--skip-types') ? true : step('types', checkTypes);
  const modules = await step('modules', () => compile(sources));
  const commandLine = await step('command line', bundleCommandLine);
  const service = await step('sandbox service', bundleSandboxService);
  const lambdas = await step('lambdas', bundleLambdas);
  const engine = await step('sandboxd', bundleSandboxd);
  const page = await step('page', bundlePage);
  if (![modules, commandLine, service, lambdas, engine, page, await types].every(Boolean)) process.exitCode = 1;
}

/** Runs a step, prints one line about it, and returns whether it succeeded. */
async function step(name: string, work: () => Promise<string>): Promise<boolean> {
  const start = process.hrtime.bigint();
  const { done, text } = await work().then(
    (result) => ({ done: true, text: result }),
    (error: Error) => ({ done: false, text: `failed: ${error.message}` }),
  );
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(`${name.padEnd(16)}${text} (${seconds.toFixed(1)} s)`);
  return done;
}

function sourcesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.startsWith(join(ROOT, PAGE) + sep));
}

/** Removes files that an earlier build made from sources that no longer exist. */
function removeStale(current: ReadonlySet<string>): void {
  for (const folder of FOLDERS.map((name) => join(DIST, name)).filter(existsSync)) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && !current.has(file.replace(/\.(d\.ts|js|js\.map)$/, ''))) rmSync(file);
    }
  }
}

async function compile(entryPoints: string[]): Promise<string> {
  await build({
    entryPoints,
    outbase: ROOT,
    outdir: DIST,
    format: 'cjs',
    platform: 'node',
    target: NODE,
    sourcemap: true,
    logLevel: 'warning',
  });
  return `${entryPoints.length} files in dist`;
}

/** What every program for Node is bundled with. */
const PROGRAM: BuildOptions = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: NODE,
  mainFields: ['module', 'main'],
  plugins: [requireExternal, endpointElsewhere],
  banner: { js: COMMONJS_NAMES },
  legalComments: 'none',
  logLevel: 'warning',
};

async function bundleSandboxService(): Promise<string> {
  const folder = join(DIST, 'sandbox-service');
  rmSync(folder, { recursive: true, force: true });
  await build({
    ...PROGRAM,
    entryPoints: { 'sandbox-service': join(ROOT, 'bin', 'sandbox-service.ts') },
    outdir: folder,
  });
  return kilobytes(statSync(join(folder, 'sandbox-service.mjs')).size);
}

async function bundleCommandLine(): Promise<string> {
  const programs = Object.entries(PROGRAMS);
  const folder = join(DIST, 'cli');
  rmSync(folder, { recursive: true, force: true });
  // Built separately: the endpoint uses all of the AWS SDK's schemas and the launcher only a few, and a module shared by both
  // would contain them all.
  for (const [name, source] of programs) {
    await build({
      ...PROGRAM,
      entryPoints: { [name]: join(ROOT, source) },
      outdir: folder,
      // A daemon runs on when a new build replaces its files, so it reads all of them when it starts.
      splitting: name !== 'local-daemon',
    });
  }
  mkdirSync(join(DIST, 'bin'), { recursive: true });
  writeFileSync(join(DIST, 'bin', 'mngr-fargate.js'), START_CLI);
  rmSync(join(DIST, 'bin', 'mngr-fargate.js.map'), { force: true });
  chmodSync(join(DIST, 'bin', 'mngr-fargate.js'), 0o755);
  return `${readdirSync(folder).length} files in dist/cli`;
}

async function bundleLambdas(): Promise<string> {
  rmSync(join(DIST, 'lambda'), { recursive: true, force: true });
  const names = readdirSync(join(ROOT, 'lambda')).filter((name) =>
    existsSync(join(ROOT, 'lambda', name, LAMBDA_ENTRY)),
  );
  const sizes = names.map(async (name) => {
    const outfile = join(builtLambda(name), LAMBDA_BUNDLE);
    await build({ ...lambdaBundleOptions(name), outfile });
    return `${name} ${kilobytes(statSync(outfile).size)} (${kilobytes(gzipSync(readFileSync(outfile)).length)} zipped)`;
  });
  return (await Promise.all(sizes)).join(', ');
}

async function bundlePage(): Promise<string> {
  const folder = join(DIST, 'web');
  rmSync(folder, { recursive: true, force: true });
  await build({
    entryPoints: [join(ROOT, PAGE, 'app.ts'), join(ROOT, PAGE, 'app.css')],
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: BROWSERS,
    legalComments: 'linked',
    logLevel: 'warning',
  });
  for (const file of PAGE_FILES) copyFileSync(join(ROOT, PAGE, file), join(folder, file));
  return `${kilobytes(statSync(join(folder, 'app.js')).size)} of JavaScript`;
}

async function bundleSandboxd(): Promise<string> {
  const outfile = join(DIST, 'sandboxd', 'sandboxd.js');
  await build({
    entryPoints: [join(ROOT, 'docker', 'sandboxd', 'main.ts')],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: NODE_IN_IMAGE,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return kilobytes(statSync(outfile).size);
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

function checkTypes(): Promise<string> {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const incremental = ['--incremental', '--tsBuildInfoFile', join(DIST, '.tsbuildinfo')];
  const args = [compiler, '-p', join(ROOT, 'tsconfig.build.json'), '--emitDeclarationOnly', ...incremental];
  return new Promise((resolve, reject) => {
    spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
      .once('error', reject)
      .once('close', (code) =>
        code === 0 ? resolve('checked and declared in dist') : reject(new Error('see the type errors above')),
      );
  });
}

void main();
