import { splitCommand } from '../../../lib/local/agent/shlex';

describe('a command line', () => {
  it.each([
    ['echo a  b', ['echo', 'a', 'b']],
    [`sh -c 'echo "$X"; ls | wc'`, ['sh', '-c', 'echo "$X"; ls | wc']],
    [`a"b c"d`, ['ab cd']],
    [`"a\\"b" 'c\\d'`, ['a"b', 'c\\d']],
    ['a\\ b', ['a b']],
    [`'' ""`, ['', '']],
    ['echo $HOME; ls | wc', ['echo', '$HOME;', 'ls', '|', 'wc']],
    ['ls # all of it', ['ls']],
    ['a#b', ['a#b']],
    ['# nothing\nls', ['ls']],
    ['', []],
  ])('%s is split as without a shell', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });

  it.each([
    [`echo 'open`, 'EOF found when expecting closing quote'],
    [`echo "open`, 'EOF found when expecting closing quote'],
    ['echo \\', 'EOF found after escape character'],
  ])('%s is refused', (line, message) => {
    expect(() => splitCommand(line)).toThrow(message);
  });
});
