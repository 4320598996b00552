import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseAllDocuments } from 'yaml';
import { anyKindSchema, kindSchema, RESOURCE_KINDS } from '../../src/config/json-schema.js';
import { KEY_DESCRIPTIONS } from '../../src/config/key-descriptions.js';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Every description somewhere in a schema. */
function descriptionsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inner]) =>
    key === 'description' && typeof inner === 'string' ? [inner] : descriptionsIn(inner),
  );
}

/** A validator made of the published schema, by another reader than the one that made it. */
function accepts(value: unknown): boolean {
  const kind = (value as { readonly kind: (typeof RESOURCE_KINDS)[number] }).kind;
  return z.fromJSONSchema(kindSchema(kind)).safeParse(value).success;
}

const policies = ['standard-sql', 'standard-masking', 'prompt-rules', 'model-limits', 'http-readonly'];

describe('the published JSON Schema', () => {
  it('is the one in examples/schema: `npm run docs` writes it', () => {
    expect(JSON.parse(file('examples/schema/hoop-v1.schema.json'))).toEqual(
      JSON.parse(JSON.stringify(anyKindSchema())),
    );
  });

  it('has every described key at the place named', () => {
    const found = new Set(RESOURCE_KINDS.flatMap((kind) => descriptionsIn(kindSchema(kind))));
    expect(Object.entries(KEY_DESCRIPTIONS).filter(([, text]) => !found.has(text))).toEqual([]);
  });

  it.each(policies)('accepts every document of examples/policies/%s.yaml', (name) => {
    const documents = parseAllDocuments(file(`examples/policies/${name}.yaml`));
    const values = (documents as readonly { toJS(): unknown }[]).map((document) => document.toJS());
    expect(values.length).toBeGreaterThan(0);
    expect(values.map(accepts)).toEqual(values.map(() => true));
  });

  it('refuses an unknown key, a wrong action, and what this version does not carry', () => {
    const policy = (rule: object): unknown => ({
      apiVersion: 'hoop/v1',
      kind: 'Policy',
      metadata: { name: 'p' },
      spec: { rules: [{ name: 'r', when: 'true', action: 'block', ...rule }] },
    });
    expect(accepts(policy({}))).toBe(true);
    expect(accepts(policy({ action: 'deny' }))).toBe(false);
    expect(accepts(policy({ wehn: 'true' }))).toBe(false);
    const agent = (masterKey: object): unknown => ({
      apiVersion: 'hoop/v1',
      kind: 'Agent',
      metadata: { name: 'a' },
      spec: { masterKey },
    });
    expect(accepts(agent({ env: 'KEY' }))).toBe(true);
    expect(accepts(agent({ vault: 'x#y' }))).toBe(false);
  });
});
