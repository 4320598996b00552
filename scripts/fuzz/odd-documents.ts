import type { Dice } from './mutation.js';

/** Queries that build JSON of columns, masked ones among them, in ways that no program thinks of. */

/** What one table, or two side by side, offer to an expression. */
interface Sight {
  readonly columns: readonly string[];
  /** Columns of type jsonb. */
  readonly documents: readonly string[];
  readonly rows: readonly string[];
}

const CUSTOMERS: Sight = { columns: ['c.id', 'c.name', 'c.email', 'c.ssn', 'c.n'], documents: [], rows: ['c'] };
const ACCOUNTS: Sight = {
  columns: ['u.id', 'u.email', 'u.secret', 'u.cid'],
  documents: ['u.doc', 'u.plain'],
  rows: ['u'],
};
const BOTH: Sight = {
  columns: [...CUSTOMERS.columns, ...ACCOUNTS.columns],
  documents: ACCOUNTS.documents,
  rows: ['c', 'u'],
};
const KEYS = ['a', 'b', 'email', 'ssn', 'name', 'id', 'd', '0', 'e', 'doc', 'secret', 'j'];

/** Begins no name of a column, so that whatever holds one shows a value. */
export const SECRETS = /SSN-|mailuser|mailacct|PWD-|DOC-/;

export const SEED = `
  create table c (id int primary key, name text, email text, ssn text, n int);
  create table u (id int primary key, cid int references c, email text, secret text, doc jsonb, plain jsonb);
  insert into c select g, 'Name ' || g, 'mailuser' || g || '@corp.example', 'SSN-' || g, g from generate_series(1, 4) g;
  insert into u select g, 1 + g % 4, 'mailacct' || g || '@corp.example', 'PWD-' || g,
    jsonb_build_object('d', 'DOC-' || g, 'name', 'DOC-0' || g), jsonb_build_object('p', g, 'name', 'ok')
    from generate_series(1, 6) g;
  create view v as select id, email as e, to_jsonb(c) as j, ssn from c;
  create view w as select cid, jsonb_agg(to_jsonb(u)) as docs, json_agg(u) as jdocs from u group by cid;
  grant select on all tables in schema public to hoop_app;`;

/** Masks, with everything else allowed: a refusal would show nothing. */
export const MASKS = `apiVersion: hoop/v1
kind: Policy
metadata: { name: documents }
spec:
  inference: allow
  mask:
    - { name: emails, columns: ['*.email'], strategy: partial }
    - { name: ssn, columns: [c.ssn], strategy: redact }
    - { name: secrets, columns: [u.secret], strategy: 'null' }
    - { name: docs, columns: [u.doc], strategy: redact }
`;

/** One query over the tables of `SEED`. */
export function oddDocumentQuery(dice: Dice): string {
  return new Queries(dice).query();
}

class Queries {
  constructor(private readonly dice: Dice) {}

  query(): string {
    const { dice } = this;
    const depth = 2 + dice.below(2);
    return dice.pick([
      () => `select ${this.document(CUSTOMERS, depth)} from c`,
      () => `select ${this.document(ACCOUNTS, depth)} from u`,
      () => `select ${this.document(BOTH, depth)} as x, ${this.text(BOTH, depth)} as y from c join u on u.cid = c.id`,
      () =>
        `with x as (select ${this.document(CUSTOMERS, depth)} as j from c) select j, j -> ${this.key()} as k, j ->> ${this.key()} as l from x`,
      () =>
        `select x.j ${dice.pick(['', `-> ${this.key()}`, '|| x.k', `- ${this.key()}`])} from (select ${this.document(BOTH, depth)} as j, ${this.document(BOTH, 1)} as k from c join u on u.cid = c.id) x`,
      () =>
        `select ${this.document(CUSTOMERS, depth)} from c union all select ${this.document(ACCOUNTS, depth)} from u`,
      () =>
        `select l.j from c left join lateral (select jsonb_agg(${this.document(ACCOUNTS, depth)}) as j from u where u.cid = c.id) l on true`,
      () =>
        `select to_jsonb(x) from (select ${dice.pick(CUSTOMERS.columns)}, ${this.document(CUSTOMERS, depth)} as zz from c) x`,
      () => `select ${this.#ofViews()} from v join w on w.cid = v.id`,
      () =>
        `select e.value, e.value ->> ${this.key()} as k from c, jsonb_array_elements(jsonb_build_array(${this.document(CUSTOMERS, depth)}, ${this.document(CUSTOMERS, 1)})) e`,
      () =>
        `select jsonb_agg(${this.document(CUSTOMERS, depth)} ${dice.pick(['', 'order by c.id'])}), jsonb_object_agg(${dice.pick(['c.id', 'c.name', 'c.ssn'])}, ${this.value(CUSTOMERS, depth)}) from c`,
      () => `select ${this.text(BOTH, depth)} as x, ${this.text(BOTH, depth)} as y from c join u on u.cid = c.id`,
    ])();
  }

  #ofViews(): string {
    return this.dice.pick([
      'v.j',
      "v.j || jsonb_build_object('s', v.ssn)",
      `v.j -> ${this.key()}`,
      'to_jsonb(v)',
      "v.j - 'email'",
      `v.j #>> ${this.#path()}`,
      "jsonb_set(v.j, '{name}', to_jsonb(v.ssn))",
      'w.docs -> 0',
      'w.jdocs',
      `w.docs #>> '{0,${this.dice.pick(KEYS)}}'`,
      'to_jsonb(w)',
      'jsonb_build_object(v.e, v.j)',
    ]);
  }

  key(): string {
    return `'${this.dice.pick(KEYS)}'`;
  }

  #path(): string {
    const steps = Array.from({ length: 1 + this.dice.below(2) }, () => this.dice.pick(KEYS));
    return this.dice.chance(70) ? `'{${steps.join(',')}}'` : `array[${this.key()}]`;
  }

  #condition({ rows, columns }: Sight): string {
    const { dice } = this;
    return dice.pick([`${dice.pick(rows)}.id > 1`, 'true', `${dice.pick(columns)} is not null`]);
  }

  text(sight: Sight, depth: number): string {
    const { dice } = this;
    if (depth <= 0 || dice.chance(60)) return `${dice.pick(sight.columns)}::text`;
    const [one, other] = [(): string => this.document(sight, depth - 1), (): string => this.text(sight, depth - 1)];
    return dice.pick([
      () => `(${one()} ->> ${this.key()})`,
      () => `(${one()} #>> ${this.#path()})`,
      () => `(${one()})::text`,
      () => `left(${other()}, 9)`,
      () => `coalesce(${other()}, ${other()})`,
      () => `(case when ${this.#condition(sight)} then ${other()} else ${other()} end)`,
    ])();
  }

  value(sight: Sight, depth: number): string {
    if (this.dice.chance(45)) return this.document(sight, depth - 1);
    return this.dice.chance(50) ? this.dice.pick(sight.columns) : this.text(sight, depth);
  }

  document(sight: Sight, depth: number): string {
    const { dice } = this;
    if (depth <= 0) {
      if (sight.documents.length > 0 && dice.chance(30)) return dice.pick(sight.documents);
      return dice.chance(50)
        ? `to_jsonb(${dice.pick(sight.rows)})`
        : `jsonb_build_object(${this.key()}, ${dice.pick(sight.columns)})`;
    }
    return dice.pick(dice.chance(70) ? this.#expressions(sight, depth) : this.#subselects(sight, depth))();
  }

  #expressions(sight: Sight, depth: number): readonly (() => string)[] {
    const { dice } = this;
    const one = (): string => this.document(sight, depth - 1);
    const value = (): string => this.value(sight, depth);
    const member = (): string => `${dice.chance(93) ? this.key() : this.text(sight, 0)}, ${value()}`;
    const members = (): string => Array.from({ length: 1 + dice.below(3) }, member).join(', ');
    return [
      () => `jsonb_build_object(${members()})`,
      () => `jsonb_build_array(${value()}, ${value()})`,
      () => `to_jsonb(${dice.pick(sight.rows)})`,
      () => `(${one()} || ${one()})`,
      () => `(${one()} - ${this.key()})`,
      () => `(${one()} #- ${this.#path()})`,
      () => `jsonb_set(${one()}, ${this.#path()}, ${one()}${dice.pick(['', ', true', ', false'])})`,
      () => `jsonb_insert(${one()}, ${this.#path()}, ${one()})`,
      () => `jsonb_strip_nulls(${one()})`,
      () => `(${one()} -> ${dice.chance(70) ? this.key() : String(dice.below(3))})`,
      () => `(${one()} #> ${this.#path()})`,
      () => `(case when ${this.#condition(sight)} then ${one()} else ${one()} end)`,
      () => `coalesce(${one()}, '[]')`,
      () => `to_jsonb(row(${dice.pick(sight.columns)}, ${value()}))`,
      () => `row_to_json(${dice.pick(sight.rows)})::jsonb`,
      () => `(${one()})::text::jsonb`,
      () => `array_to_json(array[${one()}, ${one()}])::jsonb`,
      () => `json_build_object(${this.key()}, ${value()})::jsonb`,
    ];
  }

  #subselects(sight: Sight, depth: number): readonly (() => string)[] {
    const { dice } = this;
    const value = (): string => this.value(sight, depth);
    const own = dice.chance(50) ? CUSTOMERS : ACCOUNTS;
    const [name] = own.rows as [string];
    const alias = `${name}${String(dice.below(100))}`;
    const renamed = (expression: string): string => expression.replace(new RegExp(`\\b${name}\\b(?=[.)])`, 'g'), alias);
    const inner = (): string => renamed(this.document(own, depth - 1));
    return [
      () => `(select ${dice.pick(['jsonb_agg', 'json_agg'])}(${inner()}) from ${name} ${alias})::jsonb`,
      () => `(select ${inner()} from ${name} ${alias} where ${alias}.id = 1)`,
      () =>
        `(select jsonb_object_agg(${renamed(dice.chance(70) ? `${dice.pick(own.columns.slice(0, 2))}::text` : this.text(own, 0))}, ${renamed(this.value(own, depth))}) from ${name} ${alias})`,
      () =>
        `(select to_jsonb(x) from (select ${dice.pick(sight.columns)} as ${dice.pick(['a', 'b', 'email', 'q'])}, ${value()} as zz) x)`,
      () => `(select jsonb_agg(e.value) from jsonb_array_elements(jsonb_build_array(${value()}, ${value()})) e)`,
      () => `(select jsonb_object_agg(e.key, e.value) from jsonb_each(${this.document(sight, depth - 1)}) e)`,
      () =>
        `(select jsonb_agg(to_jsonb(x)) from (select ${dice.pick(sight.columns)}::text as a union all select ${this.text(sight, 0)}) x)`,
    ];
  }
}
