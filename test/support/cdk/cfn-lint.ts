import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPythonTool } from '../run/python-tools';

const CFN_LINT = { name: 'cfn-lint', requirements: ['cfn-lint==1.58.0'] } as const;

/**
 * Findings of cfn-lint, errors and warnings alike, one line each; none for a clean template. Its informational checks
 * are about the style of templates that people write (`Fn::Sub` instead of `Fn::Join`).
 */
export async function cfnLint(region: string, templates: readonly string[]): Promise<string[]> {
  const bin = await installPythonTool(CFN_LINT);
  const options = ['--format', 'parseable', '--regions', region, '--'];
  try {
    await promisify(execFile)(join(bin, 'cfn-lint'), [...options, ...templates]);
    return [];
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const lines = stdout.split('\n').filter((line) => line !== '');
    if (lines.length === 0) throw new Error(`cfn-lint failed: ${stderr}`, { cause: error });
    return lines;
  }
}
