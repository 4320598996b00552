import { z } from 'zod';
import { numberSchema } from './schema-number.js';
import { groupsSchema, nameSchema } from './schema-names.js';

/** What a limit may count apart. */
export const LIMIT_KEYS = ['user', 'group', 'model', 'connection'] as const;

const LIMIT_PER = z.enum(LIMIT_KEYS);

/** The keys of an amount and the span of time that each counts over. */
export const SPANS = { perMinute: 'minute', perDay: 'day', perMonth: 'month' } as const;

const whole = numberSchema((given) => Number.isInteger(given) && given > 0, 'expected a whole number of at least 1');
const dollars = numberSchema((given) => given > 0, 'expected an amount of US dollars above 0');

function amounts<Amount extends z.ZodType>(amount: Amount) {
  return z
    .strictObject({ perMinute: amount.optional(), perDay: amount.optional(), perMonth: amount.optional() })
    .refine((given) => Object.values(given).some((one) => one !== undefined), {
      message: 'expected `perMinute`, `perDay` or `perMonth`',
    })
    .optional();
}

/** One entry of a policy's `limits`. */
export const limitSchema = z
  .strictObject({
    name: nameSchema,
    per: z
      .union([LIMIT_PER.transform((one) => [one]), z.array(LIMIT_PER).min(1, 'expected at least one')])
      .transform((list) => LIMIT_KEYS.filter((key) => list.includes(key)))
      .optional(),
    groups: groupsSchema.optional(),
    models: z.array(z.string().min(1).max(200)).min(1, 'expected at least one pattern').optional(),
    requests: amounts(whole),
    tokens: amounts(whole),
    spend: amounts(dollars),
    message: z.string().max(1_000).optional(),
  })
  .superRefine((limit, issues) => {
    if (limit.requests === undefined && limit.tokens === undefined && limit.spend === undefined)
      issues.addIssue({ code: 'custom', path: [], message: 'a limit needs `requests`, `tokens` or `spend`' });
  });

export type LimitDefinition = z.output<typeof limitSchema>;
