import { anyKindSchema, kindSchema, RESOURCE_KINDS } from '../../config/json-schema.js';
import { HoopError } from '../../core/errors.js';

/**
 * @param kind of a resource, in any case; undefined for all kinds
 * @throws HoopError `usage` for a kind that there is not
 */
export function publishedSchema(kind: string | undefined): Readonly<Record<string, unknown>> {
  if (kind === undefined) return anyKindSchema();
  const found = RESOURCE_KINDS.find((one) => one.toLowerCase() === kind.toLowerCase());
  if (found !== undefined) return kindSchema(found);
  throw new HoopError('usage', 'there is no such kind of resource', { why: `kinds: ${RESOURCE_KINDS.join(', ')}` });
}
