import { describe, expect, it } from 'vitest';
import { advised, givenToken, tokenToAdvise } from '../../src/client/given-token.js';
import { ERRORS, HoopError } from '../../src/core/errors.js';

const expired = new HoopError('token_refused', 'the token has expired');

describe('a token of the environment that is refused', () => {
  it('is named with what renews it: a login would change nothing', () => {
    const refused = advised(expired, givenToken({ HOOP_TOKEN: 'x', HOOP_TOKEN_FILE: '/run/token' }));
    expect(refused).toMatchObject({
      code: 'token_refused',
      message: 'the token of HOOP_TOKEN has expired',
      why: ERRORS.token_refused.why,
      suggestion: 'get a new token into HOOP_TOKEN, or unset it and run `hoop login`',
    });
    expect(advised(expired, givenToken({ HOOP_TOKEN_FILE: '/run/token' }))).toMatchObject({
      message: 'the token of the file of HOOP_TOKEN_FILE has expired',
    });
    expect(advised(expired, givenToken({ HOOP_CLIENT_ID: 'ci', HOOP_CLIENT_SECRET: 's' }))).toMatchObject({
      message: 'the token of the client of HOOP_CLIENT_ID has expired',
    });
  });

  it('keeps what the agent advises against just this, and says whose token it is where the message does not', () => {
    const suggestion = 'try again in a moment; else ask who runs the identity provider';
    const away = new HoopError('token_refused', 'the keys of the identity provider are not available', { suggestion });
    expect(advised(away, givenToken({ HOOP_TOKEN: 'x' }))).toMatchObject({
      message: 'the keys of the identity provider are not available',
      why: 'the token is that of HOOP_TOKEN',
      suggestion,
    });
  });

  it('of a job itself is for another audience: the variable that names one', () => {
    const job = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://host.example', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' };
    const refused = new HoopError('token_refused', 'the token is for another audience');
    expect(advised(refused, tokenToAdvise(job))).toMatchObject({
      message: 'the token of this job is for another audience',
      suggestion: expect.stringContaining('HOOP_TOKEN_AUDIENCE') as string,
    });
    expect(tokenToAdvise({ ...job, HOOP_TOKEN: 'x' })?.name).toBe('HOOP_TOKEN');
    expect(tokenToAdvise({})).toBeUndefined();
  });

  it('is a login’s own where nothing is set, and other errors stay what they are', () => {
    expect(advised(expired, givenToken({ HOOP_TOKEN: '', HOOP_CLIENT_ID: 'ci' }))).toBe(expired);
    const other = new HoopError('no_access', 'no');
    expect(advised(other, givenToken({ HOOP_TOKEN: 'x' }))).toBe(other);
  });
});
