import { knownServer } from '../../../lib/ssh/jump/user-known-hosts';

const key = (name: string): string => Buffer.from(`\0\0\0\u000bssh-ed25519 ${name}`).toString('base64');
const named = (line: string, name = 'one'): string => `${line} ssh-ed25519 ${key(name)} somebody@somewhere`;
const keysFor = (text: string, host: string, port = 22): string[] =>
  knownServer([text], host, port).keys.map((blob) => blob.toString().split(' ')[1] ?? '');

test.each([
  ['its name', named('gate.corp'), 'gate.corp', 22, ['one']],
  ['its name in other letters', named('Gate.Corp'), 'gate.corp', 22, ['one']],
  ['one of several names', named('a,gate.corp,10.0.0.1'), 'gate.corp', 22, ['one']],
  ['a pattern', named('*.corp'), 'gate.corp', 22, ['one']],
  ['a pattern of one letter', named('gat?.corp'), 'gate.corp', 22, ['one']],
  ['no pattern across the whole name', named('gate'), 'gate.corp', 22, []],
  ['a dot is a dot', named('gate.corp'), 'gatexcorp', 22, []],
  ['all but one', named('*.corp,!gate.corp'), 'gate.corp', 22, []],
  ['its port', named('[gate.corp]:2222'), 'gate.corp', 2222, ['one']],
  ['another port', named('[gate.corp]:2222'), 'gate.corp', 22, []],
  ['no port, where none names it', named('gate.corp'), 'gate.corp', 2222, ['one']],
  ['its port before no port', `${named('gate.corp')}\n${named('[gate.corp]:2222', 'two')}`, 'gate.corp', 2222, ['two']],
  [
    'several keys',
    `${named('gate.corp')}\r\n\r\n# note\n${named('gate.corp', 'two')}`,
    'gate.corp',
    22,
    ['one', 'two'],
  ],
  ['IPv6', named('[2001:db8::1]:2222'), '2001:db8::1', 2222, ['one']],
  [
    'a bad line costs itself',
    `gate.corp ssh-ed25519\ngate.corp\n@new x y z\ngate.corp ssh-ed25519 AA==\n${named('gate.corp')}`,
    'gate.corp',
    22,
    ['one'],
  ],
])('a server is known by %s', (_what, text, host, port, expected) => {
  expect(keysFor(text, host, port)).toEqual(expected);
});

test('a revoked key and an authority are no keys of the server', () => {
  const text = `@revoked ${named('*', 'bad')}\n@cert-authority ${named('*.corp', 'ca')}`;
  expect(knownServer([text], 'gate.corp', 2222)).toMatchObject({ keys: [], hasAuthority: true });
  expect(knownServer([text], 'gate.corp', 2222).revoked).toHaveLength(1);
});
