import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityProviderSchema, toIdentityProvider } from '../../src/config/kinds/identity-provider.js';
import { HoopError } from '../../src/core/errors.js';
import { identityOf } from '../../src/identity/claims-identity.js';
import { checkClaims } from '../../src/identity/token-rules.js';

const NOW_S = 1_790_000_000;

const provider = toIdentityProvider(
  identityProviderSchema.parse({
    apiVersion: 'hoop/v1',
    kind: 'IdentityProvider',
    metadata: { name: 'corp' },
    spec: {
      issuer: 'https://id.example.com',
      audience: 'hoop',
      claims: { groups: 'realm_access.roles', attributes: ['purpose', '__proto__', 'constructor'] },
      mappings: [
        { when: 'claims.role == "dba" && claims.deep.list[0].x > 1', groups: ['dba'] },
        { when: 'claims.repository.startsWith("acme/")', groups: ['ci'], machine: true },
        { when: 'true', groups: ['everyone'] },
      ],
      reviewers: true,
    },
  }),
  '/',
);

const NAMES = [
  'role',
  'deep',
  'repository',
  'realm_access',
  'roles',
  'purpose',
  '__proto__',
  'constructor',
  'toString',
  'sub',
];
const MORE = [
  'email',
  'email_verified',
  'azp',
  'client_id',
  '_claim_names',
  'hasgroups',
  'preferred_username',
  'list',
  'x',
  'exp',
];

const name = fc.oneof(fc.constantFrom(...NAMES, ...MORE), fc.string({ maxLength: 8 }));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, 'false', 0, -0, 1e308, 2 ** 53, '', 'dba', 'acme/x', [], {}),
    fc.string({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));
/** As they come out of `JSON.parse`, where a key `__proto__` is a key like another. */
const claims = fc
  .array(fc.tuple(name, value), { maxLength: 12 })
  .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Record<string, unknown>);

describe('claims of any kind', () => {
  it('give an identity of texts, or refuse the token; nothing else is thrown, and nobody gets a group by a strange type', () => {
    fc.assert(
      fc.property(claims, (given) => {
        const all = { ...given, iss: provider.issuer, aud: 'hoop' };
        let identity: ReturnType<typeof identityOf>;
        try {
          const { expiresAt } = checkClaims({ sub: 'ann', exp: NOW_S + 60, ...all }, [provider], NOW_S * 1000);
          identity = identityOf({ sub: 'ann', ...all }, provider, expiresAt);
        } catch (error) {
          expect(error).toBeInstanceOf(HoopError);
          expect(error).toMatchObject({ code: 'token_refused' });
          return;
        }
        expect(typeof identity.subject).toBe('string');
        expect(typeof identity.email).toBe('string');
        expect(identity.groups.every((group) => typeof group === 'string')).toBe(true);
        expect(Object.getPrototypeOf(identity.attributes)).toBe(Object.prototype);
        if (identity.groups.includes('dba') && !listed(given).includes('dba')) expect(given['role']).toBe('dba');
        if (identity.groups.includes('ci') && !listed(given).includes('ci'))
          expect(String(given['repository']).startsWith('acme/')).toBe(true);
        expect(identity.mayReview && identity.machine).toBe(false);
      }),
      { numRuns: Number(process.env['HOOP_FUZZ_RUNS'] ?? 500) },
    );
  });

  it('nested 5,000 deep or a megabyte long cost the token, not the agent', () => {
    const deep = JSON.parse(`${'{"deep":'.repeat(5_000)}1${'}'.repeat(5_000)}`) as Record<string, unknown>;
    for (const given of [deep, { repository: 'a'.repeat(1 << 20) }, { realm_access: { roles: deep } }]) {
      const identify = (): unknown => identityOf({ sub: 'ann', ...given }, provider, NOW_S);
      try {
        identify();
      } catch (error) {
        expect(error).toBeInstanceOf(HoopError);
      }
    }
  });
});

function listed(given: Readonly<Record<string, unknown>>): readonly unknown[] {
  const dotted = given['realm_access.roles'];
  if (Array.isArray(dotted)) return dotted;
  const at = given['realm_access'];
  const roles =
    typeof at === 'object' && at !== null && Object.hasOwn(at, 'roles') ? (at as Record<string, unknown>)['roles'] : [];
  return Array.isArray(roles) ? roles : [];
}
