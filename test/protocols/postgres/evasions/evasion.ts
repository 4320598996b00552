import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/**
 * One way of getting round a rule, or something that only looks like one. `{s}` in a text stands for the entry's own
 * schema, `{d}` for a letter that differs between the run past hoop and the run through it (for names that the whole
 * server shares), `{data}` for the server's data folder.
 */
const Text = z.string().min(1);
const Send = z.union([
  Text,
  z.strictObject({ extended: Text, values: z.array(Text.nullable()).default([]) }),
  z.strictObject({ pipeline: z.array(Text).min(2) }),
  z.strictObject({ copy: Text, data: Text }),
  z.strictObject({ wire: z.array(Text).min(1) }),
]);
const Oracle = z.union([
  z.enum(['dropped', 'rows', 'payments', 'shown', 'privileges', 'identity', 'file-shown', 'file-written']),
  z.strictObject({ shows: Text }),
  z.strictObject({
    sql: Text,
    harm: z.enum(['changed', 'lost', 'all-lost']),
    in: z.enum(['server', 'session']).default('server'),
  }),
]);
const Rule = z.string().regex(/^[a-z-]+$/);
const Entry = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]+$/),
    /** Run as the superuser past hoop, after the tables that every entry has. */
    setup: z.string().optional(),
    /** A session of somebody else is open meanwhile, under the application name `{s}{d}`. */
    victim: z.boolean().default(false),
    startup: z.record(z.string(), z.string()).optional(),
    send: z.union([Send, z.array(Send).min(1)]),
    oracle: Oracle.optional(),
    /** The rule that has to refuse it, or any of several; without one it has to pass. */
    block: z.union([Rule, z.array(Rule).min(1)]).optional(),
    /** SQLSTATEs that the server itself answers, where an error is what is to be seen. */
    fails: z.array(z.string().length(5)).default([]),
  })
  .transform(({ block, send, ...entry }) => ({
    ...entry,
    send: Array.isArray(send) ? send : [send],
    rules: block === undefined ? [] : [block].flat(),
  }));
const File = z.strictObject({
  /** What the entries try to get round. */
  about: z.string(),
  oracle: Oracle,
  entries: z.array(Entry),
});

export type Evasion = z.infer<typeof Entry> & { readonly oracle: OracleOf };
export type OracleOf = z.infer<typeof Oracle>;
export type Message = z.infer<typeof Send>;

export interface EvasionGroup {
  readonly name: string;
  readonly about: string;
  readonly entries: readonly Evasion[];
}

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Every file of the list, one group a file; each group gets a database of its own. */
export function evasionGroups(): readonly EvasionGroup[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && file !== 'pending.yaml')
    .sort()
    .map((file) => {
      const parsed = File.safeParse(parse(readFileSync(`${folder}${file}`, 'utf8')));
      if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
      const { about, oracle, entries } = parsed.data;
      return {
        name: file.replace('.yaml', ''),
        about,
        entries: entries.map((entry) => ({ ...entry, oracle: entry.oracle ?? oracle })),
      };
    });
}

/** Entries whose verdict is known to be wrong still, by id, each with why. */
export function pendingEvasions(): Readonly<Record<string, string>> {
  const list: unknown = parse(readFileSync(`${folder}pending.yaml`, 'utf8'));
  return z.record(z.string(), z.string()).parse(list ?? {});
}
