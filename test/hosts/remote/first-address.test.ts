import { MngrFargateError } from '../../../lib/contract/errors';
import { firstAddress } from '../../../lib/hosts/remote/first-address';

const FOUR = { host: '192.0.2.1', port: 22, user: 'root' };
const SIX = { host: '2001:db8::1', port: 22, user: 'root' };
const unreachable = (host: string): MngrFargateError => new MngrFargateError('unreachable', `no answer from ${host}`);
const never = new Promise<string>(() => undefined);

describe('the first address that answers', () => {
  const discarded: string[] = [];
  const discard = (result: string): void => void discarded.push(result);
  beforeEach(() => discarded.splice(0));

  test('is the first one where it answers', async () => {
    const attempt = ({ host }: typeof FOUR) => Promise.resolve(host);
    await expect(firstAddress([FOUR, SIX], attempt, { discard })).resolves.toEqual({
      result: FOUR.host,
      address: FOUR,
    });
  });

  test('is the next one where the first fails, or says nothing', async () => {
    for (const first of [() => Promise.reject(unreachable(FOUR.host)), () => never]) {
      const attempt = ({ host }: typeof FOUR) => (host === FOUR.host ? first() : Promise.resolve(host));
      await expect(firstAddress([FOUR, SIX], attempt, { discard })).resolves.toMatchObject({ address: SIX });
    }
  });

  test('is nobody’s where none answers: the first error is told', async () => {
    const attempt = ({ host }: typeof FOUR): Promise<string> => Promise.reject(unreachable(host));
    await expect(firstAddress([FOUR, SIX], attempt, { discard })).rejects.toThrow('no answer from 192.0.2.1');
    await expect(firstAddress([SIX], attempt, { discard })).rejects.toThrow('no answer from 2001:db8::1');
  });

  test('a host that can’t prove its key counts at once', async () => {
    const stranger = new MngrFargateError('unverified-host-key', 'another machine');
    const attempt = ({ host }: typeof FOUR): Promise<string> => (host === FOUR.host ? never : Promise.reject(stranger));
    await expect(firstAddress([FOUR, SIX], attempt, { discard })).rejects.toBe(stranger);
  });

  test('the one that comes second is ended', async () => {
    let answer = (_host: string): void => undefined;
    const late = new Promise<string>((resolve) => (answer = resolve));
    const signals: (AbortSignal | undefined)[] = [];
    const attempt = ({ host }: typeof FOUR, signal?: AbortSignal) => {
      signals.push(signal);
      return host === FOUR.host ? late : Promise.resolve(host);
    };
    await firstAddress([FOUR, SIX], attempt, { discard });
    expect(signals.every((signal) => signal?.aborted)).toBe(true);
    answer('late');
    await new Promise((resolve) => setImmediate(resolve));
    expect(discarded).toEqual(['late']);
  });
});
