import { tmpdir } from 'node:os';
import * as z from 'zod';
import { MngrFargateError } from '../../contract/errors';
import { runProgram } from '../../util/run-program';

/** The distribution's name of the plugin, and that of mngr. */
export const PLUGIN_PACKAGE = 'imbue-mngr-fargate';
export const MNGR_PACKAGE = 'imbue-mngr';

/** What an environment reports about itself. `plugin.files` has the SHA-256 of each of the plugin's modules. */
const PROBE = `
import hashlib, importlib.metadata as metadata, importlib.util, json, os, sys, sysconfig

def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

def modules():
    try:
        files = metadata.files("${PLUGIN_PACKAGE}") or []
    except metadata.PackageNotFoundError:
        return {}
    found = {}
    for file in files:
        path = str(file.locate())
        if path.endswith(".py") and os.path.isfile(path):
            with open(path, "rb") as stream:
                found[os.path.basename(path)] = hashlib.sha256(stream.read()).hexdigest()
    return found

def editable():
    try:
        text = metadata.distribution("${PLUGIN_PACKAGE}").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    document = json.loads(text or "{}")
    if not document.get("dir_info", {}).get("editable"):
        return None
    return document.get("url")

marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
print(json.dumps({
    "python": sys.executable,
    "pythonVersion": ".".join(map(str, sys.version_info[:3])),
    "prefix": sys.prefix,
    "isExternallyManaged": sys.prefix == sys.base_prefix and os.path.exists(marker),
    "hasPip": importlib.util.find_spec("pip") is not None,
    "isUvTool": os.path.exists(os.path.join(sys.prefix, "uv-receipt.toml")),
    "isPipx": os.path.exists(os.path.join(sys.prefix, "pipx_metadata.json")),
    "mngrVersion": version("${MNGR_PACKAGE}"),
    "pluginVersion": version("${PLUGIN_PACKAGE}"),
    "pluginEditable": editable(),
    "pluginFiles": modules(),
}))
`;

const environmentSchema = z.object({
  python: z.string(),
  pythonVersion: z.string(),
  prefix: z.string(),
  /** A distribution's Python outside a virtual environment, where pip refuses to install (PEP 668). */
  isExternallyManaged: z.boolean(),
  hasPip: z.boolean(),
  isUvTool: z.boolean(),
  isPipx: z.boolean(),
  mngrVersion: z.string().nullable(),
  pluginVersion: z.string().nullable(),
  /** URL of the folder that an editable install uses in place; null for a copy. */
  pluginEditable: z.string().nullable(),
  /** Module name to SHA-256. */
  pluginFiles: z.record(z.string(), z.string()),
});

export type PythonEnvironment = z.output<typeof environmentSchema>;

/** Asks a Python what is installed beside it. Throws `usage` for a program that is not Python. */
export async function probePython(
  python: string,
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<PythonEnvironment> {
  const run = await runProgram([python, '-c', PROBE], { environment, workingDirectory: tmpdir(), signal });
  if (run.exitCode === 0) {
    try {
      return environmentSchema.parse(JSON.parse(run.stdout));
    } catch {
      // Reported below, like a program that failed.
    }
  }
  const lastLine = run.stderr.trim().split('\n').at(-1) ?? '';
  throw new MngrFargateError('usage', `${python} is not a usable Python${lastLine && `: ${lastLine}`}`, {
    details: { python, exitCode: run.exitCode, stderr: run.stderr },
  });
}
