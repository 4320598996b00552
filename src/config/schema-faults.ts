import type { z } from 'zod';
import { nearest } from '../core/nearest.js';
import type { ConfigFault } from './fault.js';
import type { ConfigDocument, Path } from './yaml-documents.js';

type Issue = z.core.$ZodIssue;

/** Marks an issue that belongs to the key, not to its value. */
export const AT_KEY = { at: 'key' } as const;

/** Says what is wrong in a reader's words, at the place, with the nearest right key. */
export function faultsOfIssues(document: ConfigDocument, schema: z.ZodType, issues: readonly Issue[]): ConfigFault[] {
  return issues.flatMap((issue) => faultsOfIssue(document, schema, issue, []));
}

function faultsOfIssue(document: ConfigDocument, schema: z.ZodType, issue: Issue, prefix: Path): ConfigFault[] {
  const path: Path = [...prefix, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') {
    const keys = keysOf(schema._zod.def, path, document.value);
    return issue.keys.map((key) => document.fault([...path, key], unknownKey(key, keys), AT_KEY));
  }
  if (issue.code === 'invalid_union') {
    // The variant with the fewest complaints is the one that was meant.
    const meant = [...issue.errors].sort((left, right) => left.length - right.length)[0] ?? [];
    if (meant.length > 0) return meant.flatMap((inner) => faultsOfIssue(document, schema, inner, path));
  }
  const at = issue.code === 'custom' && issue.params?.['at'] === 'key' ? 'key' : 'value';
  const missing = MISSABLE.includes(issue.code) && !exists(document.value, path);
  const oneOf = missing && issue.code === 'invalid_union' ? `: ${choice(variants(issue))}` : '';
  return [document.fault(path, `${describePath(path)}${missing ? `is missing${oneOf}` : wording(issue)}`, { at })];
}

/** Codes of issues that a value which is not there brings about. */
const MISSABLE: readonly Issue['code'][] = ['invalid_type', 'invalid_value', 'invalid_union'];

function unknownKey(key: string, { known, elsewhere }: KnownKeys): string {
  const owners = elsewhere.get(key);
  if (owners !== undefined)
    return `unknown key \`${key}\` here; it belongs to type ${owners.map((owner) => `\`${owner}\``).join(', ')}`;
  const near = nearest(key, known);
  return `unknown key \`${key}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
}

/** Never the value itself: it may have come out of an environment variable. */
function wording(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}`;
    case 'invalid_value':
      return `expected ${choice(issue.values)}`;
    case 'invalid_union':
      // A discriminator that names no variant; other unions were told apart by their variants' own issues.
      return `expected ${choice(variants(issue))}`;
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  }
}

function variants(issue: z.core.$ZodIssueInvalidUnion): readonly unknown[] {
  return 'options' in issue && Array.isArray(issue.options) ? issue.options : ['another form'];
}

function choice(options: readonly unknown[]): string {
  return `${options.length > 1 ? 'one of ' : ''}${options.map(String).join(', ')}`;
}

function exists(value: unknown, path: Path): boolean {
  let inside: unknown = value;
  for (const part of path) {
    if (typeof inside !== 'object' || inside === null || !Object.hasOwn(inside, part)) return false;
    inside = (inside as Readonly<Record<string | number, unknown>>)[part];
  }
  return true;
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    object: 'a map',
    record: 'a map',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

function describePath(path: Path): string {
  const text = path.reduce<string>(
    (before, part) =>
      typeof part === 'number' ? `${before}[${String(part)}]` : before === '' ? part : `${before}.${part}`,
    '',
  );
  return text === '' ? '' : `\`${text}\`: `;
}

/** Keys that are right at a place. */
interface KnownKeys {
  readonly known: readonly string[];
  /** Right if only the resource were of another type: the types that have each. */
  readonly elsewhere: ReadonlyMap<string, readonly string[]>;
}

/** The keys that a schema knows at a path: of the variant that the value names, else of all variants together. */
function keysOf(definition: z.core.$ZodTypeDef, path: Path, value: unknown): KnownKeys {
  const def = definition as z.core.$ZodTypes['_zod']['def'];
  const [head, ...rest] = path;
  const step = (inner: z.core.$ZodType): KnownKeys => keysOf(inner._zod.def, rest, at(value, head));
  switch (def.type) {
    case 'object': {
      if (head === undefined) return { known: Object.keys(def.shape), elsewhere: new Map() };
      const member = def.shape[String(head)];
      return member === undefined ? NO_KEYS : step(member);
    }
    case 'array':
      return step(def.element);
    case 'record':
      return step(def.valueType);
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
      return keysOf(def.innerType._zod.def, path, value);
    case 'pipe':
      return keysOf(def.in._zod.def, path, value);
    case 'union':
      return unionKeys(def, path, value);
    default:
      return NO_KEYS;
  }
}

const NO_KEYS: KnownKeys = { known: [], elsewhere: new Map() };

function unionKeys(def: z.core.$ZodUnionDef, path: Path, value: unknown): KnownKeys {
  const discriminator = 'discriminator' in def ? String(def.discriminator) : undefined;
  const chosen = discriminator === undefined ? undefined : at(value, discriminator);
  const known: string[] = [];
  const elsewhere = new Map<string, string[]>();
  for (const option of def.options) {
    const names = discriminator === undefined ? undefined : option._zod.propValues?.[discriminator];
    const keys = keysOf(option._zod.def, path, value);
    if (names === undefined || names.has(chosen as string)) known.push(...keys.known);
    else for (const key of keys.known) elsewhere.set(key, [...(elsewhere.get(key) ?? []), ...[...names].map(String)]);
  }
  return { known, elsewhere };
}

function at(value: unknown, part: string | number | undefined): unknown {
  if (typeof value !== 'object' || value === null || part === undefined || !Object.hasOwn(value, part))
    return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[part];
}
