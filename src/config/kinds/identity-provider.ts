import { z } from 'zod';
import type { IdentityProviderResource } from '../../core/resources.js';
import { webUrlSchema } from '../values.js';
import { envelope } from './envelope.js';

const claim = z.string().min(1);

export const identityProviderSchema = envelope(
  'IdentityProvider',
  z.strictObject({
    issuer: webUrlSchema,
    audience: z.string().min(1),
    clientId: z.string().min(1).optional(),
    login: z.boolean().default(true),
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
    reviewers: z.boolean().default(false),
    machine: z.boolean().default(false),
  }),
);

export function toIdentityProvider(resource: z.output<typeof identityProviderSchema>): IdentityProviderResource {
  const { clientId, ...spec } = resource.spec;
  return { name: resource.metadata.name, ...spec, ...(clientId === undefined ? {} : { clientId }) };
}
