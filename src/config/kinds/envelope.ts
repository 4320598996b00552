import { z } from 'zod';
import { nameSchema } from '../../policy/schema.js';

/** What every resource has around its `spec`. */
export function envelope<Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) {
  return z.strictObject({
    apiVersion: z.literal('hoop/v1'),
    kind: z.literal(kind),
    metadata: z.strictObject({ name: nameSchema }),
    spec,
  });
}
