import { invalidParameter } from './context';

/**
 * CloudWatch's filter patterns for unstructured text (Logs user guide, "Filter pattern syntax"): all plain terms must
 * occur, at least one of the `?terms`, none of the `-terms`; `"quoted terms"` may have spaces; `%expression%` is a
 * regular expression. Patterns for JSON (`{ … }`) and space-delimited lines (`[ … ]`) are refused.
 */
export function filterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (/^[{[]/.test(text)) {
    throw invalidParameter('Invalid filter pattern: the local endpoint knows patterns of plain terms only');
  }
  const terms = [...text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))/g)].map(
    ([, sign = '', quoted, expression, plain]) => ({ sign, test: matcher(quoted ?? plain, expression) }),
  );
  const required = terms.filter(({ sign }) => sign === '');
  const optional = terms.filter(({ sign }) => sign === '?');
  const excluded = terms.filter(({ sign }) => sign === '-');
  return (message) =>
    required.every(({ test }) => test(message)) &&
    (optional.length === 0 || required.length > 0 || optional.some(({ test }) => test(message))) &&
    !excluded.some(({ test }) => test(message));
}

function matcher(term: string | undefined, expression: string | undefined): (message: string) => boolean {
  if (expression === undefined) {
    const wanted = (term ?? '').replace(/\\(.)/g, '$1');
    return (message) => message.includes(wanted);
  }
  try {
    const compiled = new RegExp(expression);
    return (message) => compiled.test(message);
  } catch {
    throw invalidParameter(`Invalid filter pattern: "${expression}" is not a regular expression`);
  }
}
