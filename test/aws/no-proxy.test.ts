import fc from 'fast-check';
import { isExcluded, isLoopback } from '../../lib/aws/no-proxy';
import { proxyFor } from '../../lib/aws/proxy-settings';

const ECS = 'ecs.us-east-1.amazonaws.com';

describe('NO_PROXY', () => {
  test.each([
    ['amazonaws.com', ECS, 443, true],
    ['.amazonaws.com', ECS, 443, true],
    ['*.amazonaws.com', ECS, 443, true],
    ['AmazonAWS.com.', ECS, 443, true],
    [ECS, ECS, 443, true],
    ['zonaws.com', ECS, 443, false],
    ['s.com', ECS, 443, false],
    ['ecs', ECS, 443, false],
    ['*', ECS, 443, true],
    ['example.org, amazonaws.com', ECS, 443, true],
    ['example.org amazonaws.com', ECS, 443, true],
    ['amazonaws.com:443', ECS, 443, true],
    ['amazonaws.com:8443', ECS, 443, false],
    ['10.0.0.7', '10.0.0.7', 443, true],
    ['10.0.0.7', '110.0.0.7', 443, false],
    ['0.0.7', '10.0.0.7', 443, false],
    ['10.0.0.0/8', '10.200.0.7', 443, true],
    ['10.0.0.0/8', '11.0.0.7', 443, false],
    ['10.0.0.0/33', '10.0.0.7', 443, false],
    ['10.0.0.7:80', '10.0.0.7', 443, false],
    ['2001:db8::7', '[2001:db8::7]', 443, true],
    ['[2001:db8::7]', '2001:db8:0::7', 443, true],
    ['[2001:db8::7]:443', '2001:db8::7', 443, true],
    ['[2001:db8::7]:444', '2001:db8::7', 443, false],
    ['2001:db8::/32', '2001:db8:1::7', 443, true],
    ['2001:db8::/32', '10.0.0.7', 443, false],
    ['', ECS, 443, false],
    [',, ,.,', ECS, 443, false],
  ])('%p for %s port %d: %p', (noProxy, host, port, excluded) => {
    expect(isExcluded(host, port, noProxy)).toBe(excluded);
  });

  test('any text is read, and a domain covers exactly the names at and below it', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(fc.property(fc.string(), fc.webUrl(), (text, url) => void isExcluded(new URL(url).hostname, 443, text)));
    fc.assert(
      fc.property(domain, label, (name, below) => {
        expect(isExcluded(`${below}.${name}`, 443, name)).toBe(true);
        expect(isExcluded(name, 443, `.${name}`)).toBe(true);
        expect(isExcluded(`${below}${name}`, 443, name)).toBe(false);
      }),
    );
  });
});

describe('the proxy of a destination', () => {
  const secure = { secure: true, host: ECS, port: 443 };
  const plain = { secure: false, host: 'aws.example.test', port: 80 };

  test.each([
    [{ HTTPS_PROXY: 'http://a:1' }, secure, 'http://a:1'],
    [{ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' }, secure, 'http://b:2'],
    [{ HTTPS_PROXY: 'a:1' }, secure, 'http://a:1'],
    [{ HTTPS_PROXY: 'http://a:1' }, plain, undefined],
    [{ HTTP_PROXY: 'http://a:1' }, plain, 'http://a:1'],
    [{ HTTP_PROXY: 'http://a:1' }, secure, undefined],
    [{ ALL_PROXY: 'http://a:1' }, secure, 'http://a:1'],
    [{ HTTPS_PROXY: '', ALL_PROXY: '' }, secure, undefined],
    [{ HTTPS_PROXY: 'http://a:1', NO_PROXY: 'amazonaws.com' }, secure, undefined],
    [{ HTTPS_PROXY: 'http://a:1', no_proxy: 'amazonaws.com' }, secure, undefined],
  ])('%p', (environment, destination, origin) => {
    expect(proxyFor(destination, environment)?.url.origin).toBe(origin);
  });

  test.each(['127.0.0.1', '127.8.9.10', 'localhost', 'LOCALHOST', '[::1]', 'aws.localhost'])(
    '%s is this machine itself and never behind a proxy',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(proxyFor({ secure: false, host, port: 80 }, { HTTP_PROXY: 'http://a:1' })).toBeUndefined();
    },
  );

  test.each(['socks5://a:1', 'http://', 'http://name:geheim@', ':::'])('%s is refused without being shown', (value) => {
    const attempt = (): unknown => proxyFor(secure, { HTTPS_PROXY: value });
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'usage', message: 'HTTPS_PROXY is not the address of an HTTP proxy' }),
    );
  });
});
