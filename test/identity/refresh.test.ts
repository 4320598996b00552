import { describe, expect, it } from 'vitest';
import { accessToken } from '../../src/identity/access-token.js';
import { makeFolder } from '../support/folders.js';

const agentUrl = 'https://agent.example.com';

function refusal(profile: string, env: Record<string, string> = {}): Promise<unknown> {
  const folder = makeFolder('refresh');
  const place = { folder, profile, agentUrl, env: { HOOP_KEYRING: 'file', ...env } };
  return accessToken(place, { say: () => undefined }).catch((error: unknown) => error);
}

describe('without a login', () => {
  it.each([
    ['default', 'run `hoop login https://agent.example.com`'],
    ['staging', 'run `hoop login https://agent.example.com --profile staging`'],
  ])('of the profile %s the advice leads to just that one', async (profile, suggestion) => {
    expect(await refusal(profile)).toMatchObject({ code: 'not_logged_in', suggestion });
  });

  it('but with half of a machine’s client, says what is missing', async () => {
    expect(await refusal('default', { HOOP_CLIENT_ID: 'ci' })).toMatchObject({
      code: 'not_logged_in',
      suggestion: expect.stringContaining('HOOP_CLIENT_SECRET') as string,
    });
  });

  it('and with a token file that is not there, does not send a job to a browser', async () => {
    expect(await refusal('default', { HOOP_TOKEN_FILE: '/nowhere' })).toMatchObject({
      code: 'not_logged_in',
      suggestion: 'check the path, and that whatever writes the token there has done so',
    });
  });
});
