/**
 * What the types of PostgreSQL are made of, as far as a mask has to know: by object id for the built-in
 * ones, which never change, and from the catalogue for the rest.
 *
 * @see https://www.postgresql.org/docs/current/catalog-pg-type.html
 */
import type { CatalogColumn, CatalogType } from '../catalog/types.js';

/**
 * - `fixed`: can't spell a name or number of a person: bool, int4, dates, uuid, …
 * - `text`: free text; `json`, `jsonb`, `xml`, `bytea`: text behind escapes of its own
 * - `number`: digits in text, spelled by `binary-scalars` in binary: int8, numeric, float8, …; `money` with signs between
 * - `address`: inet, cidr
 * - `name`: text in text form, four bytes of no meaning in binary: regclass, regrole, …
 * - `bits`: bit, varbit
 * - `scalar`: has a syntax of its own: a finding becomes NULL
 * - `array`, `vector`, `range`, `multirange`: of `of`
 * - `composite`: fields by `fields` where the catalogue tells
 * - `hstore`, `tsvector`
 * - `unknown`: nobody can tell
 */
export type Form =
  | 'fixed'
  | 'text'
  | 'json'
  | 'jsonb'
  | 'xml'
  | 'bytea'
  | 'number'
  | 'money'
  | 'address'
  | 'name'
  | 'bits'
  | 'scalar'
  | 'array'
  | 'vector'
  | 'range'
  | 'multirange'
  | 'composite'
  | 'hstore'
  | 'tsvector'
  | 'unknown';

export interface TypeShape {
  readonly form: Form;
  /** The type itself, of a domain its base. */
  readonly oid: number;
  /** Of an array or vector its elements', of a range its bounds', of a multirange its range's type. */
  readonly of: number;
  /** Types of a composite's fields in order; undefined where nobody can tell. */
  readonly fields?: readonly number[];
}

/** The part of the catalogue that tells of types. */
export interface TypeLookup {
  type(oid: number): Omit<CatalogType, 'oid'> | undefined;
  relation(oid: number): { readonly columns: readonly Pick<CatalogColumn, 'typeOid'>[] } | undefined;
}

const FORMS: Readonly<Partial<Record<Form, string>>> = {
  fixed: '16 18 21 23 26 27 28 29 700 1082 1083 1114 1184 1186 1266 2278 2950 3220',
  text: '19 25 194 705 1042 1043 1790 2275',
  json: '114',
  jsonb: '3802',
  xml: '142',
  bytea: '17',
  number: '20 600 601 602 603 604 628 701 718 1700 2970 5038 5069',
  money: '790',
  address: '650 869',
  name: '24 2202 2203 2204 2205 2206 3734 3769 4089 4096 4191',
  bits: '1560 1562',
  scalar: '774 829 1033 3361 3402 3615 4072 4600 4601 5017',
  composite: '2249',
  tsvector: '3614',
};

/** `itself:of` */
const MADE_OF: Readonly<Partial<Record<Form, string>>> = {
  vector: '22:21 30:26',
  range: '3904:23 3906:1700 3908:1114 3910:1184 3912:1082 3926:20',
  multirange: '4451:3904 4532:3906 4533:3908 4534:3910 4535:3912 4536:3926',
  array:
    '143:142 199:114 271:5069 629:628 651:650 719:718 775:774 791:790 1000:16 1001:17 1002:18 1003:19 1005:21 ' +
    '1006:22 1007:23 1008:24 1009:25 1010:27 1011:28 1012:29 1013:30 1014:1042 1015:1043 1016:20 1017:600 1018:601 ' +
    '1019:602 1020:603 1021:700 1022:701 1027:604 1028:26 1034:1033 1040:829 1041:869 1115:1114 1182:1082 1183:1083 ' +
    '1185:1184 1187:1186 1231:1700 1263:2275 1270:1266 1561:1560 1563:1562 2201:1790 2207:2202 2208:2203 2209:2204 ' +
    '2210:2205 2211:2206 2287:2249 2949:2970 2951:2950 3221:3220 3643:3614 3645:3615 3735:3734 3770:3769 3807:3802 ' +
    '3905:3904 3907:3906 3909:3908 3911:3910 3913:3912 3927:3926 4073:4072 4090:4089 4097:4096 4192:4191 5039:5038 ' +
    '6150:4451 6151:4532 6152:4533 6153:4534 6155:4535 6157:4536',
};

const BUILT_IN = new Map<number, TypeShape>();
for (const [form, oids] of Object.entries(FORMS) as [Form, string][])
  for (const oid of oids.split(' ').map(Number)) BUILT_IN.set(oid, { form, oid, of: 0 });
for (const [form, pairs] of Object.entries(MADE_OF) as [Form, string][]) {
  for (const pair of pairs.split(' ')) {
    const [oid, of] = pair.split(':').map(Number) as [number, number];
    BUILT_IN.set(oid, { form, oid, of });
  }
}

/** Types of contrib modules, by name: their object ids differ from database to database. */
const CONTRIB: Readonly<Record<string, Form>> = { hstore: 'hstore', citext: 'text' };

const INT4 = 23;

/**
 * May the name of a column of this type tell what its values are? Of numbers alone: text that stands without its separators
 * is as the scan of whole chunks takes it, which knows no names and is ten times as fast.
 */
export function isTold(shape: TypeShape): boolean {
  return shape.form === 'number' || (shape.form === 'fixed' && shape.oid === INT4);
}

/** Of a column whose name tells what its numbers are: an int4 is too short for most numbers of people, and not for all. */
export function namedShape(shape: TypeShape): TypeShape {
  return shape.form === 'fixed' && shape.oid === INT4 ? { ...shape, form: 'number' } : shape;
}

/** A domain over a domain over …: the server itself allows any number, a catalogue that was misread none. */
const MAX_DOMAINS = 64;

export function shapeOf(oid: number, types: TypeLookup | undefined): TypeShape {
  let at = oid;
  for (let step = 0; step < MAX_DOMAINS; step += 1) {
    const known = BUILT_IN.get(at);
    if (known !== undefined) return known;
    const type = types?.type(at);
    if (type === undefined) break;
    switch (type.kind) {
      case 'domain':
        at = type.of;
        continue;
      case 'array':
      case 'range':
      case 'multirange':
        return { form: type.kind, oid: at, of: type.of };
      case 'composite': {
        const fields = types?.relation(type.relation)?.columns.map((column) => column.typeOid);
        return { form: 'composite', oid: at, of: 0, ...(fields === undefined ? {} : { fields }) };
      }
      case 'enum':
        return { form: 'scalar', oid: at, of: 0 };
      case 'base':
      case 'pseudo':
        return { form: CONTRIB[type.name] ?? 'unknown', oid: at, of: 0 };
    }
  }
  return { form: 'unknown', oid, of: 0 };
}
