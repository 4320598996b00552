import { z } from 'zod';
import type { ApprovalFlowResource, ReviewCondition } from '../../core/resources.js';
import { compileReviewCondition } from '../../policy/expression-review.js';
import { compileLinearPattern } from '../../policy/linear-pattern.js';
import { groupsSchema, nameSchema } from '../../policy/schema.js';
import { durationSchema, integerSchema } from '../values.js';
import { scheduleSchema } from './approval-schedule.js';
import { envelope } from './envelope.js';

const DEFAULT_WAIT_MS = 5 * 60_000;
const DEFAULT_GRANT_MS = 10 * 60_000;
/** A request for access waits at least this long where its flow does not say: nothing is held meanwhile. */
const DEFAULT_EXPIRY_MS = 60 * 60_000;

const conditionSchema = z.string().transform((text, context): ReviewCondition => {
  const compiled = compileReviewCondition(text);
  if ('condition' in compiled) return compiled.condition;
  context.addIssue({ code: 'custom', message: compiled.fault.message });
  return z.NEVER;
});

const ticketSchema = z.string().transform((source, context): NonNullable<ApprovalFlowResource['ticket']> => {
  const pattern = compileLinearPattern(source);
  if (pattern !== undefined && source !== '') return { pattern: source, test: (text) => pattern.test(text) };
  context.addIssue({ code: 'custom', message: 'expected a pattern in RE2 syntax, such as `OPS-[0-9]+`' });
  return z.NEVER;
});

export const approvalFlowSchema = envelope(
  'ApprovalFlow',
  z.strictObject({
    reviewers: z
      .array(
        z.strictObject({
          groups: groupsSchema,
          count: integerSchema(1, 100).default(1),
          condition: conditionSchema.optional(),
        }),
      )
      .min(1, 'expected at least one entry: who may approve'),
    condition: conditionSchema.optional(),
    wait: durationSchema.default(DEFAULT_WAIT_MS),
    expiry: durationSchema.optional(),
    grant: z
      .strictObject({
        scope: z.enum(['statement', 'session', 'connection']).default('statement'),
        ttl: durationSchema.default(DEFAULT_GRANT_MS),
        uses: z.literal('unlimited').optional(),
      })
      .prefault({}),
    selfApproval: z.boolean().default(false),
    schedule: scheduleSchema.optional(),
    maxDuration: durationSchema.optional(),
    reasonRequired: z.boolean().default(false),
    ticket: ticketSchema.optional(),
    breakGlass: z.strictObject({ groups: groupsSchema }).optional(),
    preview: z.boolean().default(false),
    notify: z.array(nameSchema).default([]),
  }),
);

export function toApprovalFlow(resource: z.output<typeof approvalFlowSchema>): ApprovalFlowResource {
  const { reviewers, condition, wait, expiry, grant, schedule, maxDuration, ticket, breakGlass } = resource.spec;
  const { selfApproval, reasonRequired, preview, notify } = resource.spec;
  return {
    name: resource.metadata.name,
    reviewers: reviewers.map(({ groups, count, condition: own }) => ({
      groups,
      count,
      ...(own === undefined ? {} : { condition: own }),
    })),
    waitMs: wait,
    expiryMs: expiry ?? Math.max(wait, DEFAULT_EXPIRY_MS),
    grant: { scope: grant.scope, ttlMs: grant.ttl, unlimitedUses: grant.uses === 'unlimited' },
    ...{ selfApproval, reasonRequired, preview, notify },
    ...(condition === undefined ? {} : { condition }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(maxDuration === undefined ? {} : { maxDurationMs: maxDuration }),
    ...(ticket === undefined ? {} : { ticket }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
  };
}
