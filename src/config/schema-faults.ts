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
    const known = keysOf(schema._zod.def, path);
    return issue.keys.map((key) => document.fault([...path, key], unknownKey(key, known), AT_KEY));
  }
  if (issue.code === 'invalid_union') {
    // The variant with the fewest complaints is the one that was meant.
    const meant = [...issue.errors].sort((left, right) => left.length - right.length)[0] ?? [];
    if (meant.length > 0) return meant.flatMap((inner) => faultsOfIssue(document, schema, inner, path));
  }
  const at = issue.code === 'custom' && issue.params?.['at'] === 'key' ? 'key' : 'value';
  const missing = (issue.code === 'invalid_type' || issue.code === 'invalid_value') && !exists(document.value, path);
  return [document.fault(path, `${describePath(path)}${missing ? 'is missing' : wording(issue)}`, { at })];
}

export function unknownKey(key: string, known: Iterable<string>): string {
  const near = nearest(key, known);
  return `unknown key \`${key}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
}

/** Never the value itself: it may have come out of an environment variable. */
function wording(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${typeName(issue.expected)}`;
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  }
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

/** The keys that a schema knows at a path, all variants of a union taken together. */
function keysOf(definition: z.core.$ZodTypeDef, path: Path): string[] {
  const def = definition as z.core.$ZodTypes['_zod']['def'];
  const inside = (inner: z.core.$ZodType, rest: Path): string[] => keysOf(inner._zod.def, rest);
  switch (def.type) {
    case 'object': {
      const [head, ...rest] = path;
      if (head === undefined) return Object.keys(def.shape);
      const member = def.shape[String(head)];
      return member === undefined ? [] : inside(member, rest);
    }
    case 'array':
      return inside(def.element, path.slice(1));
    case 'record':
      return inside(def.valueType, path.slice(1));
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
      return inside(def.innerType, path);
    case 'pipe':
      return inside(def.in, path);
    case 'union':
      return def.options.flatMap((option) => inside(option, path));
    default:
      return [];
  }
}
