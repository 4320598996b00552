import type { z } from 'zod';
import { policySpecSchema, type PolicyDefinition } from '../../policy/schema.js';
import { envelope } from './envelope.js';

export const policySchema = envelope('Policy', policySpecSchema.prefault({}));

export function toPolicy(resource: z.output<typeof policySchema>): PolicyDefinition {
  return { name: resource.metadata.name, ...resource.spec };
}
