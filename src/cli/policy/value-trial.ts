import { createHmac } from 'node:crypto';
import { concatBytes } from '../../core/bytes.js';
import type { JsonPathPattern } from '../../core/json-path.js';
import type { ColumnPattern, KeyedHash, MaskCounts, MaskPlan, MaskRule } from '../../core/mask.js';
import type { EntityResource, HttpType } from '../../core/resources.js';
import { sharedMasker, type SharedMasker } from '../../masking/shared-masker.js';
import { createStreamMasker } from '../../masking/streams/stream-masker.js';
import { maskWhole } from '../../masking/text-masker.js';
import { parseColumnPattern } from '../../policy/column-pattern.js';
import { parseJsonPath } from '../../policy/json-path.js';
import type { RequestReading } from '../../protocols/http/dialect.js';
import { PathMaskedBody } from '../../protocols/http/bodies/path-masked-body.js';
import { DIALECTS } from '../../protocols/registry.js';

/** Every agent has a key of its own; here pseudonyms are the same on every machine, and no agent's. */
export const TRIAL_HASH: KeyedHash = (input) => createHmac('sha256', 'hoop policy test').update(input).digest();

const MAX_BYTES = 64 * 1024 * 1024;

export interface EntityMasker {
  readonly masker: SharedMasker;
  /** Adds the names of the masks that meet something in the text. */
  meets(text: string, met: Set<string>): void;
}

/** What masks entities in answers; undefined where nothing does. */
export function entityMasker(plan: MaskPlan, custom: readonly EntityResource[]): EntityMasker | undefined {
  const rules = entityRules(plan);
  if (rules.length === 0) return undefined;
  const masker = sharedMasker({ rules, custom, hash: TRIAL_HASH });
  return {
    masker,
    meets: (text, met) => {
      masker.maskText(text, new Map(), (_found, _entity, rule, masked) => {
        met.add(rule.name);
        return masked;
      });
    },
  };
}

function entityRules(plan: MaskPlan): readonly MaskRule[] {
  return plan.rules.filter((rule) => rule.entities.length > 0 && rule.on.answers && !rule.observed);
}

/** Where a value stands; neither: in a text. */
export interface ValuePlace {
  readonly column?: string | undefined;
  readonly path?: string | undefined;
}

/** One value as it goes out; null for NULL. Adds the names of the masks that met it. */
export function maskedValue(
  value: string,
  place: ValuePlace,
  plan: MaskPlan,
  custom: readonly EntityResource[],
  met: Set<string>,
): string | null {
  const { column, path } = place;
  if (path !== undefined) return maskedAtPath(value, path, plan, custom, met);
  const rule = column === undefined ? undefined : columnRule(plan, column);
  if (rule !== undefined) {
    met.add(rule.name);
    const masked = maskWhole(rule, new TextEncoder().encode(value), column?.split('.').at(-1) ?? '', TRIAL_HASH);
    return masked === null ? null : new TextDecoder().decode(masked);
  }
  const entities = entityMasker(plan, custom);
  entities?.meets(value, met);
  const bytes = new TextEncoder().encode(value);
  const masked = entities?.masker.maskValue(bytes, 0, bytes.length, new Map());
  return masked === undefined ? value : masked === null ? null : new TextDecoder().decode(masked);
}

/** The strongest: plans are in that order. */
function columnRule(plan: MaskPlan, column: string): MaskRule | undefined {
  const place = parseColumnPattern(column);
  const meets = (pattern: ColumnPattern): boolean =>
    place !== undefined &&
    (['schema', 'table', 'column'] as const).every((part) => pattern[part] === '*' || pattern[part] === place[part]);
  return plan.rules.find((rule) => rule.on.answers && !rule.observed && rule.columns.some(meets));
}

/** In a document that holds nothing else. */
function maskedAtPath(
  value: string,
  path: string,
  plan: MaskPlan,
  custom: readonly EntityResource[],
  met: Set<string>,
): string | null {
  const steps = (parseJsonPath(path) as JsonPathPattern).steps.map(({ select }) => select ?? 0);
  const document = steps.reduceRight<unknown>(
    (inner, step) => (typeof step === 'number' ? [...new Array<null>(step).fill(null), inner] : { [step]: inner }),
    value,
  );
  let masked: unknown = JSON.parse(maskedAnswer(JSON.stringify(document), 'http', NO_REQUEST, plan, custom, met));
  for (const step of steps)
    masked =
      typeof masked === 'object' && masked !== null ? (masked as Record<string | number, unknown>)[step] : masked;
  return typeof masked === 'string' || masked === null ? masked : JSON.stringify(masked);
}

const NO_REQUEST: RequestReading = { facts: {}, endpoint: '', model: '', stream: false, text: '', ambiguous: false };

/** The body of an answer in JSON as it goes out. Adds the names of the masks that met something in it. */
export function maskedAnswer(
  body: string,
  type: HttpType,
  request: RequestReading,
  plan: MaskPlan,
  custom: readonly EntityResource[],
  met: Set<string>,
): string {
  const rules = entityRules(plan);
  entityMasker(plan, custom)?.meets(body, met);
  const masker = rules.length === 0 ? undefined : createStreamMasker({ rules, custom, hash: TRIAL_HASH });
  const counts: MaskCounts = new Map();
  const entities = DIALECTS[type].json({ request, masker, counts, maxEventBytes: MAX_BYTES });
  const paths = plan.rules.filter((rule) => (rule.paths ?? []).length > 0 && rule.on.answers && !rule.observed);
  const byPath: MaskCounts = new Map();
  const whole = new PathMaskedBody(entities, {
    rules: paths,
    hash: TRIAL_HASH,
    counts: byPath,
    contentType: 'application/json',
    maxBytes: MAX_BYTES,
  });
  const out = concatBytes([whole.push(new TextEncoder().encode(body)), whole.end()]);
  for (const name of byPath.keys()) met.add(name);
  return new TextDecoder().decode(out);
}
