import { describe, expect, it } from 'vitest';
import { LoginLimit, TooManyLogins } from '../../../src/agent/callers/login-limit.js';
import { HoopError } from '../../../src/core/errors.js';
import type { Identity } from '../../../src/core/identity.js';
import { person } from '../../approvals/desk.js';

const ann = person('ann', []);

/** Knows the tokens that begin with `good`; the provider is away for those that begin with `away`. */
function verify(token: string): Promise<Identity> {
  if (token.startsWith('good')) return Promise.resolve(ann);
  const code = token.startsWith('away') ? 'unreachable' : 'token_refused';
  return Promise.reject(new HoopError(code, 'no'));
}

function limit(perMinute: number) {
  const now = { ms: 0 };
  const logins = new LoginLimit({ perMinute, nowMs: () => now.ms });
  const outcome = (address: string, token: string): Promise<string> =>
    logins.token(address, token, verify).then(
      () => 'in',
      (error: unknown) => (error instanceof TooManyLogins ? `wait ${String(error.retryAfterS)}` : 'refused'),
    );
  return { now, logins, outcome };
}

describe('loginsPerMinute', () => {
  it('lets 3 wrong tokens a minute be tried, then says how long to wait', async () => {
    const { outcome, now } = limit(3);
    const tried = [];
    for (let index = 0; index < 4; index += 1) tried.push(await outcome('10.0.0.1', `bad${String(index)}`));
    expect(tried).toEqual(['refused', 'refused', 'refused', 'wait 20']);
    now.ms += 19_999;
    expect(await outcome('10.0.0.1', 'bad')).toBe('wait 1');
    now.ms += 1;
    expect(await outcome('10.0.0.1', 'bad')).toBe('refused');
  });

  it('counts each address by itself, and an IPv6 /64 as one', async () => {
    const { outcome } = limit(1);
    expect(await outcome('10.0.0.1', 'bad')).toBe('refused');
    expect(await outcome('10.0.0.2', 'bad')).toBe('refused');
    expect(await outcome('::ffff:10.0.0.2', 'bad')).toBe('wait 60');
    expect(await outcome('2001:db8:1:2::1', 'bad')).toBe('refused');
    expect(await outcome('2001:db8:1:2:ffff::9', 'bad')).toBe('wait 60');
    expect(await outcome('2001:db8:1:3::1', 'bad')).toBe('refused');
    expect(await outcome('::1', 'bad')).toBe('refused');
    expect(await outcome('::2', 'bad')).toBe('wait 60');
  });

  it('costs nothing where tokens are good: 1,000 of them pass under a limit of 1', async () => {
    const { outcome, logins } = limit(1);
    for (let index = 0; index < 1_000; index += 1) expect(await outcome('10.0.0.1', `good${String(index)}`)).toBe('in');
    expect(logins.size).toBe(0);
  });

  it('keeps a token that was proven before, and makes new ones from its address wait', async () => {
    const { outcome } = limit(2);
    expect(await outcome('10.0.0.1', 'good')).toBe('in');
    for (let index = 0; index < 3; index += 1) await outcome('10.0.0.1', 'bad');
    expect(await outcome('10.0.0.1', 'good')).toBe('in');
    expect(await Promise.all([1, 2, 3].map(() => outcome('10.0.0.1', 'good')))).toEqual(['in', 'in', 'in']);
    expect(await outcome('10.0.0.1', 'good2')).toBe('wait 30');
  });

  it('counts attempts that run side by side', async () => {
    const { outcome } = limit(2);
    const outcomes = await Promise.all([1, 2, 3, 4].map((index) => outcome('10.0.0.1', `bad${String(index)}`)));
    expect(outcomes).toEqual(['refused', 'refused', 'wait 30', 'wait 30']);
  });

  it('counts nothing while the identity provider is away', async () => {
    const { outcome } = limit(1);
    for (let index = 0; index < 5; index += 1) expect(await outcome('10.0.0.1', 'away')).toBe('refused');
    expect(await outcome('10.0.0.1', 'bad')).toBe('refused');
  });

  it('counts a known caller who asks for what is not theirs, by subject and issuer', () => {
    const { logins } = limit(2);
    const refuse = (): never => {
      throw new HoopError('no_access', 'no');
    };
    for (let index = 0; index < 2; index += 1) expect(() => logins.subject(ann, refuse)).toThrow(HoopError);
    expect(() => logins.subject(ann, refuse)).toThrow(TooManyLogins);
    expect(logins.subject({ ...ann, issuer: 'https://other.example.com' }, () => 'theirs')).toBe('theirs');
  });

  it('remembers at most 20,000 sources, and forgets those that have their whole allowance again', async () => {
    const { outcome, logins, now } = limit(1);
    for (let index = 0; index < 20_100; index += 1)
      await outcome(`10.${String(index >> 16)}.${String((index >> 8) & 255)}.${String(index & 255)}`, 'bad');
    expect(logins.size).toBe(20_000);
    now.ms += 60_000;
    expect(await outcome('10.0.78.131', 'good')).toBe('in');
    expect(logins.size).toBe(19_999);
  });
});
