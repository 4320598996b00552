import { describe, expect, it } from 'vitest';
import { load } from './config-fixtures.js';

const provider = (spec: string): Readonly<Record<string, string>> => ({
  'id.yaml': `apiVersion: hoop/v1\nkind: IdentityProvider\nmetadata: { name: corp }\nspec:\n  issuer: https://id.example.com\n  audience: hoop\n${spec}`,
});

const faultsOf = async (spec: string): Promise<string> => (await load(provider(spec))).faults.join('\n');

describe('an IdentityProvider', () => {
  it('gives groups and attributes by conditions on claims', async () => {
    const { resources } = await load(
      provider(`  mappings:
    - when: claims.repository == "acme/shop" && claims.ref == "refs/heads/main"
      groups: [deploy]
      attributes: { purpose: deploy }
    - { when: claims.level > 2, groups: [high], machine: true }
`),
    );
    const [deploy, high] = resources?.identityProviders[0]?.mappings ?? [];
    expect(deploy).toMatchObject({ groups: ['deploy'], attributes: { purpose: 'deploy' }, machine: false });
    expect(deploy?.meets({ repository: 'acme/shop', ref: 'refs/heads/main' })).toBe(true);
    expect(deploy?.meets({ repository: 'acme/shop', ref: 'refs/heads/topic' })).toBe(false);
    // A claim that is missing, or of another type, meets nothing and ends nothing.
    expect(deploy?.meets({ repository: 'acme/shop' })).toBe(false);
    expect(high?.meets({ level: 3 })).toBe(true);
    expect(high?.meets({ level: 'high' })).toBe(false);
    expect(high).toMatchObject({ machine: true });
  });

  it.each([
    [
      'a condition on something else',
      `  mappings: [{ when: 'user.email == "a"' }]\n`,
      /id\.yaml:7:\d+: .*reads `claims` alone/,
    ],
    ['a condition that is no CEL', `  mappings: [{ when: 'claims.a ==' }]\n`, /id\.yaml:7:\d+: /],
    ['a backtracking pattern', `  mappings: [{ when: 'claims.a.matches("(?=a)")' }]\n`, /RE2/],
    ['a number for a condition', `  mappings: [{ when: '1 + 1' }]\n`, /true or false/],
    ['no mappings in the list', '  mappings: []\n', /at least one mapping/],
    ['machines that approve', '  machine: true\n  reviewers: true\n', /machines can not approve/],
    ['an answer believed for longer than a minute', '  userinfo: { cache: 61s }\n', /at most 60s/],
    [
      'both ways of asking',
      '  userinfo: {}\n  introspection: { clientId: a, clientSecret: { env: B } }\n',
      /one of `introspection` and `userinfo`/,
    ],
    ['a redirect off this machine', '  redirectUri: http://id.example.com/cb\n', /loopback/],
    ['an unknown way to ask for the audience', '  audienceParameter: scope\n', /resource/],
    ['a misspelt key', '  mapings: []\n', /did you mean `mappings`/],
  ])('refuses %s, where it stands', async (_what, spec, message) => {
    expect(await faultsOf(spec)).toMatch(message);
  });

  it.each(['https://token.actions.githubusercontent.com', 'https://gitlab.com', 'https://accounts.google.com'])(
    'of %s, where anybody gets a token, needs conditions',
    async (issuer) => {
      const files = (spec: string): Readonly<Record<string, string>> =>
        Object.fromEntries(
          Object.entries(provider(spec)).map(([name, text]) => [name, text.replace('https://id.example.com', issuer)]),
        );
      expect((await load(files(''))).faults.join('\n')).toMatch(/anybody can get a token/);
      expect((await load(files(`  mappings: [{ when: 'true' }]\n`))).faults).toEqual([]);
    },
  );
});
