import { describe, expect, it } from 'vitest';
import { advised, givenToken } from '../../src/client/given-token.js';
import { HoopError } from '../../src/core/errors.js';

const expired = new HoopError('token_refused', 'the token has expired');

describe('a token of the environment that is refused', () => {
  it('is named with what renews it: a login would change nothing', () => {
    const refused = advised(expired, givenToken({ HOOP_TOKEN: 'x', HOOP_TOKEN_FILE: '/run/token' }));
    expect(refused).toMatchObject({
      code: 'token_refused',
      message: 'the token of HOOP_TOKEN has expired',
      why: 'the token is that of HOOP_TOKEN',
      suggestion: 'get a new token into HOOP_TOKEN, or unset it and run `hoop login`',
    });
    expect(advised(expired, givenToken({ HOOP_TOKEN_FILE: '/run/token' }))).toMatchObject({
      message: 'the token of the file of HOOP_TOKEN_FILE has expired',
    });
    expect(advised(expired, givenToken({ HOOP_CLIENT_ID: 'ci', HOOP_CLIENT_SECRET: 's' }))).toMatchObject({
      message: 'the token of the client of HOOP_CLIENT_ID has expired',
    });
  });

  it('is a login’s own where nothing is set, and other errors stay what they are', () => {
    expect(advised(expired, givenToken({ HOOP_TOKEN: '', HOOP_CLIENT_ID: 'ci' }))).toBe(expired);
    const other = new HoopError('no_access', 'no');
    expect(advised(other, givenToken({ HOOP_TOKEN: 'x' }))).toBe(other);
  });
});
