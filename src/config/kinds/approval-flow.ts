import { z } from 'zod';
import type { ApprovalFlowResource } from '../../core/resources.js';
import { groupsSchema } from '../../policy/schema.js';
import { durationSchema, integerSchema, notInThisVersion } from '../values.js';
import { envelope } from './envelope.js';

export const approvalFlowSchema = envelope(
  'ApprovalFlow',
  z.strictObject({
    reviewers: z
      .array(z.strictObject({ groups: groupsSchema, count: integerSchema(1, 100).default(1) }))
      .min(1, 'expected at least one entry: who may approve'),
    wait: durationSchema.default(5 * 60_000),
    grant: z
      .strictObject({
        scope: z.enum(['statement', 'session', 'connection']).default('statement'),
        ttl: durationSchema.default(10 * 60_000),
        uses: z.literal('unlimited').optional(),
      })
      .prefault({}),
    selfApproval: z.boolean().default(false),
    breakGlass: notInThisVersion('breakGlass'),
    notify: notInThisVersion('notify'),
  }),
);

export function toApprovalFlow(resource: z.output<typeof approvalFlowSchema>): ApprovalFlowResource {
  const { reviewers, wait, grant, selfApproval } = resource.spec;
  return {
    name: resource.metadata.name,
    reviewers,
    waitMs: wait,
    grant: { scope: grant.scope, ttlMs: grant.ttl, unlimitedUses: grant.uses === 'unlimited' },
    selfApproval,
  };
}
