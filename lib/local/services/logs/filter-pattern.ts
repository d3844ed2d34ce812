import { invalidParameter } from './context';
import { ExpressionTimeoutError, matchExpressions } from './regular-expressions';

/** A term of a pattern: `text`, `?text` or `-text`, plain or as an expression. */
interface Term {
  readonly sign: '' | '?' | '-';
  /** Text that must occur. */
  readonly text?: string;
  /** Index among the pattern's regular expressions. */
  readonly expression?: number;
}

/** Logs user guide, "Supported syntax for regular expressions": two at most in a pattern. */
const MAX_EXPRESSIONS = 2;

/** Which of the messages match a pattern. */
export type Filter = (messages: readonly string[]) => Promise<boolean[]>;

/**
 * CloudWatch's filter patterns for unstructured text (Logs user guide, "Filter pattern syntax"): all plain terms must
 * occur, at least one of the `?terms`, none of the `-terms`; `"quoted terms"` may have spaces; `%expression%` is a
 * regular expression. Patterns for JSON (`{ … }`) and space-delimited lines (`[ … ]`) are refused.
 */
export function filterPattern(pattern: string): Filter {
  const text = pattern.trim();
  if (/^[{[]/.test(text)) {
    throw invalidParameter('Invalid filter pattern: the local endpoint supports patterns of plain terms only');
  }
  const expressions: string[] = [];
  const terms = [...text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))/g)].map(
    ([, sign = '', quoted, expression, plain]): Term => {
      if (expression === undefined) {
        return { sign: sign as Term['sign'], text: (quoted ?? plain ?? '').replace(/\\(.)/g, '$1') };
      }
      expressions.push(expression);
      return { sign: sign as Term['sign'], expression: expressions.length - 1 };
    },
  );
  checkExpressions(expressions);
  return async (messages) => {
    const found = await matchedBy(expressions, messages);
    return messages.map((message, index) =>
      passes(terms, (term) =>
        term.expression === undefined ? message.includes(term.text ?? '') : found[term.expression]?.[index] === true,
      ),
    );
  };
}

function checkExpressions(expressions: readonly string[]): void {
  if (expressions.length > MAX_EXPRESSIONS) {
    throw invalidParameter(`Invalid filter pattern: at most ${MAX_EXPRESSIONS} regular expressions are allowed`);
  }
  for (const expression of expressions) {
    try {
      new RegExp(expression);
    } catch {
      throw invalidParameter(`Invalid filter pattern: "${expression}" is not a regular expression`);
    }
  }
}

async function matchedBy(expressions: readonly string[], messages: readonly string[]): Promise<boolean[][]> {
  try {
    return await matchExpressions(expressions, messages);
  } catch (error) {
    if (!(error instanceof ExpressionTimeoutError)) throw error;
    throw invalidParameter(`Invalid filter pattern: ${error.message}`);
  }
}

function passes(terms: readonly Term[], occurs: (term: Term) => boolean): boolean {
  const signed = (sign: Term['sign']): Term[] => terms.filter((term) => term.sign === sign);
  const required = signed('');
  const optional = signed('?');
  return (
    required.every(occurs) &&
    (optional.length === 0 || required.length > 0 || optional.some(occurs)) &&
    !signed('-').some(occurs)
  );
}
