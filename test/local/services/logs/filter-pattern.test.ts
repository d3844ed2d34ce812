import { filterPattern } from '../../../../lib/local/services/logs/filter-pattern';

const MESSAGES = ['ERROR in main', 'WARN in main', 'ERROR 500 in worker', 'all is well'];

describe('a filter pattern', () => {
  it.each<[string, readonly string[]]>([
    ['', MESSAGES],
    ['ERROR', ['ERROR in main', 'ERROR 500 in worker']],
    ['ERROR worker', ['ERROR 500 in worker']],
    ['?WARN ?500', ['WARN in main', 'ERROR 500 in worker']],
    ['main -WARN', ['ERROR in main']],
    ['"is well"', ['all is well']],
    ['%ERROR \\d+%', ['ERROR 500 in worker']],
    ['-%^ERROR% main', ['WARN in main']],
    ['%^(ERROR|WARN)% -worker', ['ERROR in main', 'WARN in main']],
  ])('%s finds the messages that CloudWatch would', async (pattern, expected) => {
    const passing = await filterPattern(pattern)(MESSAGES);
    expect(MESSAGES.filter((_, index) => passing[index])).toEqual(expected);
  });

  it.each([
    ['{ $.level = "error" }', /plain terms only/],
    ['[ip, user]', /plain terms only/],
    ['%(%', /not a regular expression/],
    ['%a% %b% %c%', /at most 2 regular expressions/],
  ])('%s is refused', (pattern, message) => {
    expect(() => filterPattern(pattern)).toThrow(message);
  });

  it('that would take for ever is given up, and the endpoint goes on meanwhile', async () => {
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 5);
    const filtered = filterPattern('%^(a+)+$%')([`${'a'.repeat(60)}!`]);
    await expect(filtered).rejects.toMatchObject({ code: 'InvalidParameterException' });
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(1);
  });
});
