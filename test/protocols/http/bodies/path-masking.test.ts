import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFault } from '../../../../src/core/errors.js';
import type { MaskRule } from '../../../../src/core/mask.js';
import { parseJsonPath } from '../../../../src/policy/json-path.js';
import { jsonForm, maskBodyPaths } from '../../../../src/protocols/http/bodies/json-bodies.js';
import { maskPaths, type PathMaskOptions } from '../../../../src/protocols/http/bodies/path-masking.js';
import { maskRule } from '../../../core/mask-rule.js';

const hash = (input: Uint8Array): Uint8Array => createHmac('sha256', 'key').update(input).digest();

function rule(paths: readonly string[], changes: Partial<MaskRule> = {}): MaskRule {
  return maskRule({
    paths: paths.map((text) => parseJsonPath(text) ?? { steps: [] }),
    on: { requests: true, answers: true },
    ...changes,
  });
}
const options = (...rules: readonly MaskRule[]): PathMaskOptions => ({ rules, hash, counts: new Map() });
const masked = (text: string, ...rules: readonly MaskRule[]): unknown => maskPaths(text, options(...rules));

describe('maskPaths', () => {
  it('changes nothing but the values at the paths, byte for byte', () => {
    const text =
      '{ "a" : 1.0e2,\t"customer":{"ssn" : "123-45-6789","é":"\\u00e9"},\n"ssn":"x", "n": 12345678901234567890 }\n';
    expect(masked(text, rule(['$.customer.ssn']))).toBe(text.replace('"123-45-6789"', '"[masked]"'));
    expect(masked(text, rule(['$.customer.card', '$.nothing[*]']))).toBeUndefined();
  });

  it('masks items of lists, all of them or one, and every level behind `..`', () => {
    const text = '{"items":[{"email":"a@b.co"},{"email":"c@d.co","password":"x"}],"password":"y"}';
    expect(masked(text, rule(['$.items[*].email']))).toBe(
      '{"items":[{"email":"[masked]"},{"email":"[masked]","password":"x"}],"password":"y"}',
    );
    expect(masked(text, rule(['$.items[1].email']))).toBe(text.replace('c@d.co', '[masked]'));
    expect(masked(text, rule(['$..password']))).toBe(text.replace('"x"', '"[masked]"').replace('"y"', '"[masked]"'));
  });

  it.each<[MaskRule['strategy'], string]>([
    ['redact', '{"s":"[masked]","n":null,"t":null,"z":null,"o":"[masked]","l":"[masked]"}'],
    ['null', '{"s":null,"n":null,"t":null,"z":null,"o":null,"l":null}'],
    ['replace', '{"s":"a\\"b","n":null,"t":null,"z":null,"o":"a\\"b","l":"a\\"b"}'],
    ['partial', '{"s":"*****@example.com","n":null,"t":null,"z":null,"o":"[masked]","l":"[masked]"}'],
  ])('by %s leaves %s', (strategy, expected) => {
    const text = '{"s":"ann@example.com","n":4111,"t":true,"z":null,"o":{"a":1},"l":[1]}';
    const given = options(rule(['$.*'], { strategy, with: 'a"b' }));
    expect(maskPaths(text, given)).toBe(expected);
    expect(given.counts).toEqual(new Map([['p/m', 5]]));
  });

  it('by hash gives equal values equal pseudonyms, and keeps the originals of reversible ones', () => {
    const text = '["ann@example.com","bob@example.com","ann@example.com"]';
    const originals = new Map<string, string>();
    const given = { ...options(rule(['$[*]'], { strategy: 'hash', reversible: true })), originals };
    const [ann, bob, again] = JSON.parse(maskPaths(text, given) as string) as [string, string, string];
    expect(again).toBe(ann);
    expect(bob).not.toBe(ann);
    expect(text).not.toContain(ann);
    expect([originals.get(ann), originals.get(bob)]).toEqual(['ann@example.com', 'bob@example.com']);
    const plain = { ...options(rule(['$[*]'], { strategy: 'hash' })), originals: new Map<string, string>() };
    maskPaths(text, plain);
    expect(plain.originals.size).toBe(0);
  });

  it('takes the strongest of two masks on one value, and the outer of two that nest', () => {
    const text = '{"a":{"b":"ann@example.com"}}';
    const weak = rule(['$.a.b'], { name: 'p/weak', strategy: 'partial' });
    expect(masked(text, weak, rule(['$..b'], { strategy: 'null' }))).toBe('{"a":{"b":null}}');
    expect(masked(text, weak, rule(['$.a']))).toBe('{"a":"[masked]"}');
  });

  it('masks every member of a name that stands twice, escaped names, and one called __proto__', () => {
    expect(masked('{"a":"1","a":"2","\\u0061":"3"}', rule(['$.a']))).toBe(
      '{"a":"[masked]","a":"[masked]","\\u0061":"[masked]"}',
    );
    expect(masked('{"__proto__":{"ssn":"1"}}', rule(['$..ssn']))).toBe('{"__proto__":{"ssn":"[masked]"}}');
  });

  it('says what is no JSON, and nests 600 levels', () => {
    for (const text of ['', '{"a":', '{"a":1} x', '['.repeat(600) + ']'.repeat(600)])
      expect(masked(text, rule(['$..a']))).toMatchObject({ code: 'protocol' });
  });

  it('gives JSON without any planted value, whatever stands around it', () => {
    const planted = 'planted-secret';
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node')),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.record({ secret: fc.constantFrom(planted, { deep: [planted] }), other: tie('node') }),
      ),
    }));
    fc.assert(
      fc.property(tree.node, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const result = masked(text, rule(['$..secret'], { strategy: 'hash' }));
        expect(isFault(result)).toBe(false);
        const after = typeof result === 'string' ? result : text;
        expect(after).not.toContain(planted);
        expect(() => JSON.parse(after) as unknown).not.toThrow();
        expect(result !== undefined).toBe(text.includes(planted));
      }),
    );
  });
});

describe('maskBodyPaths', () => {
  const body = (text: string, type: string): unknown => maskBodyPaths(text, type, options(rule(['$..ssn'])));
  const json = '{"ssn":"1"}';

  it.each([
    'application/json',
    'application/problem+json',
    'text/json',
    'text/plain',
    '',
    'application/octet-stream',
    'image/png',
  ])('masks one JSON text sent as %j', (type) => {
    expect(body(json, type)).toBe('{"ssn":"[masked]"}');
    expect(body(`\uFEFF${json}`, type)).toBe('\uFEFF{"ssn":"[masked]"}');
    expect(body('{"a":1}', type)).toBeUndefined();
  });

  it('knows types with parameters, in any case', () => {
    const types = [
      'Application/JSON; charset=utf-8',
      'application/x-ndjson;x',
      'Text/Event-Stream; charset=utf-8',
      'text/html',
    ];
    expect(types.map(jsonForm)).toEqual(['text', 'lines', 'events', 'maybe']);
  });

  it('masks a JSON text a line, and the data of events', () => {
    expect(body(`${json}\r\n\n{"a":1}\n${json}`, 'application/x-ndjson')).toBe(
      '{"ssn":"[masked]"}\r\n\n{"a":1}\n{"ssn":"[masked]"}',
    );
    expect(body(`\u001e${json}\n`, 'application/json-seq')).toBe('\u001e{"ssn":"[masked]"}\n');
    expect(body(`event: a\ndata: ${json}\nid: 1\n\ndata:${json}\n\ndata: [DONE]\n\n`, 'text/event-stream')).toBe(
      'event: a\ndata: {"ssn":"[masked]"}\nid: 1\n\ndata:{"ssn":"[masked]"}\n\ndata: [DONE]\n\n',
    );
  });

  it('is a fault where JSON is promised and does not follow', () => {
    for (const type of ['application/json', 'application/x-ndjson'])
      expect(body('{"ssn":"1"', type)).toMatchObject({ code: 'protocol' });
    expect(body('data: {"ssn":\ndata: "1"}\n\n', 'text/event-stream')).toMatchObject({ code: 'protocol' });
  });

  it.each([
    ['application/json', ''],
    ['text/html', '<p>{"ssn":"1"}</p>'],
    ['text/plain', '{ no JSON'],
    ['image/png', '\x89PNG {"ssn":"1"}'],
  ])('leaves %s with %j alone', (type, text) => {
    expect(body(text, type)).toBeUndefined();
  });
});
