import { z } from 'zod';
import { AUDIENCE_PARAMETERS, LOGIN_TOKENS } from '../../core/login-options.js';
import type { ClaimMapping, IdentityProviderResource } from '../../core/resources.js';
import { compileClaimCondition } from '../../policy/expression-claims.js';
import { AT_KEY } from '../schema-faults.js';
import { absolutePath, durationSchema, isLoopback, secretRef, secretSchema, webUrlSchema } from '../values.js';
import { envelope } from './envelope.js';

/** A revoked token must not be believed for longer. */
const MAX_CACHE_MS = 60_000;

/** Issuers of which anybody can get a token, for any audience: what it says has to be looked at. */
const PUBLIC_ISSUERS: readonly string[] = [
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://accounts.google.com',
];

const claim = z.string().min(1);

const cacheSchema = durationSchema
  .refine((cacheMs) => cacheMs <= MAX_CACHE_MS, 'expected at most 60s, so that a revocation counts within a minute')
  .default(30_000);

const conditionSchema = z.string().transform((when, context) => {
  const compiled = compileClaimCondition(when);
  if (!('fault' in compiled)) return { when, meets: meetsBy(compiled.evaluate) };
  context.addIssue({ code: 'custom', message: compiled.fault.message });
  return z.NEVER;
});

const mappingSchema = z
  .strictObject({
    when: conditionSchema,
    groups: z.array(z.string().min(1)).default([]),
    attributes: z.record(z.string(), z.unknown()).default({}),
    machine: z.boolean().default(false),
  })
  .transform(({ when, ...gives }): ClaimMapping => ({ ...when, ...gives }));

const redirectSchema = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' && isLoopback(url.hostname) && url.search === '' && url.hash === '';
}, 'expected an address on loopback such as http://127.0.0.1:8400/callback');

const specSchema = z
  .strictObject({
    issuer: webUrlSchema,
    audience: z.string().min(1),
    ca: z.string().min(1).optional(),
    clientId: z.string().min(1).optional(),
    login: z.boolean().default(true),
    loginToken: z.enum(LOGIN_TOKENS).optional(),
    audienceParameter: z.enum(AUDIENCE_PARAMETERS).optional(),
    redirectUri: redirectSchema.optional(),
    publicClientSecret: z.string().min(1).optional(),
    scopes: z
      .array(z.string().regex(/^\S+$/, 'expected one scope without white space'))
      .default(['openid', 'email', 'offline_access']),
    claims: z
      .strictObject({
        email: claim.default('email'),
        groups: claim.default('groups'),
        attributes: z.array(claim).default([]),
      })
      .prefault({}),
    mappings: z.array(mappingSchema).min(1, 'expected at least one mapping; leave the key out for none').optional(),
    introspection: z
      .strictObject({
        clientId: z.string().min(1),
        clientSecret: secretSchema,
        tokens: z.enum(['opaque', 'all']).default('opaque'),
        clients: z.array(z.string().min(1)).default([]),
        cache: cacheSchema,
      })
      .optional(),
    userinfo: z.strictObject({ trustEveryClient: z.boolean().default(false), cache: cacheSchema }).optional(),
    reviewers: z.boolean().default(false),
    machine: z.boolean().default(false),
  })
  .superRefine((spec, issues) => {
    const refuse = (key: string, message: string): void => {
      issues.addIssue({ code: 'custom', path: [key], params: AT_KEY, message });
    };
    if (spec.machine && spec.reviewers)
      refuse('reviewers', 'machines can not approve: `machine` and `reviewers` exclude each other');
    if (spec.introspection !== undefined && spec.userinfo !== undefined)
      refuse('userinfo', 'expected one of `introspection` and `userinfo`');
    if (spec.mappings === undefined && PUBLIC_ISSUERS.includes(spec.issuer.replace(/\/$/, '')))
      refuse('issuer', 'anybody can get a token of this issuer: `mappings` must say whose are taken');
  });

export const identityProviderSchema = envelope('IdentityProvider', specSchema);

/** What can't be evaluated is not met: a mapping only ever gives. */
function meetsBy(evaluate: (claims: ReadonlyMap<string, unknown>) => boolean): ClaimMapping['meets'] {
  return (claims) => {
    try {
      return evaluate(celMap(claims));
    } catch {
      return false;
    }
  };
}

function celMap(claims: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(claims).map(([name, value]) => [name, celValue(value)]));
}

/** JSON as CEL has it: maps without a prototype's names, whole numbers as int. */
function celValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value === 'object' && value !== null) return celMap(value as Record<string, unknown>);
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** @param base folder that paths start at */
export function toIdentityProvider(
  resource: z.output<typeof identityProviderSchema>,
  base: string,
): IdentityProviderResource {
  const { ca, introspection, userinfo, ...spec } = resource.spec;
  return {
    name: resource.metadata.name,
    ...given(spec),
    ...(ca === undefined ? {} : { ca: absolutePath(ca, base) }),
    ...(introspection === undefined ? {} : { introspection: introspectionOf(introspection, base) }),
    ...(userinfo === undefined
      ? {}
      : { userinfo: { trustEveryClient: userinfo.trustEveryClient, cacheMs: userinfo.cache } }),
  };
}

type Introspection = NonNullable<z.output<typeof specSchema>['introspection']>;

function introspectionOf({ cache, clientSecret, ...settings }: Introspection, base: string) {
  return { ...settings, clientSecret: secretRef(clientSecret, base), cacheMs: cache };
}

/** The keys that were given: left out is not the same as undefined. */
function given<Spec extends object>(spec: Spec): { [Key in keyof Spec]: Exclude<Spec[Key], undefined> } {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as never;
}
