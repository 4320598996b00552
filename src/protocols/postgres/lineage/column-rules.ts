import type { ColumnPattern, MaskRule, Strategy } from '../../../core/mask.js';
import { FIRST_USER_OID } from '../catalog/queries.js';
import type { Catalog, CatalogRelation, ColumnPlace } from '../catalog/types.js';
import type { ResultColumn } from '../results/columns.js';
import { placeKey, placeOf, type Derivation } from './derivation.js';
import type { Touched } from './text-lineage.js';

const STRENGTH: Readonly<Record<Strategy, number>> = { null: 5, redact: 4, replace: 3, hash: 2, partial: 1 };

/** Of several rules the one that shows least; an enforced one before one that is only observed. */
export function strongest(rules: readonly (MaskRule | undefined)[]): MaskRule | undefined {
  return rules.reduce(
    (best, rule) => (rule === undefined || (best !== undefined && !isStronger(rule, best)) ? best : rule),
    undefined,
  );
}

function isStronger(rule: MaskRule, than: MaskRule): boolean {
  if (rule.observed !== than.observed) return than.observed;
  return STRENGTH[rule.strategy] > STRENGTH[than.strategy];
}

/** Shows this rule no more than that one does? */
export function isAsStrong(rule: MaskRule, as: MaskRule): boolean {
  return !rule.observed && STRENGTH[rule.strategy] >= STRENGTH[as.strategy];
}

/** A column's name with its table, as refusals name it. */
export interface RuledColumn {
  readonly rules: readonly MaskRule[];
  readonly name: string;
}

const NO_RULES: readonly MaskRule[] = [];

/** Finds the rules for columns of one reading of the catalogue. Each place is looked up once. */
export class ColumnRules {
  readonly #byPlace = new Map<number, RuledColumn>();
  readonly #touching = new Map<number, MaskRule | undefined>();
  /** What is masked as if it were any column: the strongest of all rules. */
  readonly any: MaskRule | undefined;

  constructor(
    readonly rules: readonly MaskRule[],
    readonly catalog: Catalog,
  ) {
    this.any = strongest(rules);
  }

  at(place: number): RuledColumn {
    const known = this.#byPlace.get(place);
    if (known !== undefined) return known;
    const found = this.#find(place);
    this.#byPlace.set(place, found);
    return found;
  }

  #find(place: number): RuledColumn {
    const { relation: oid, attribute } = placeOf(place);
    const relation = this.catalog.relation(oid);
    const column = relation?.columns.find((one) => one.attribute === attribute);
    if (relation === undefined || column === undefined) return { rules: NO_RULES, name: '' };
    // A partition's rows are its parent's too: whoever masks one of them masks both.
    const family = this.#family(relation);
    const rules = this.rules.filter((rule) =>
      rule.columns.some((pattern) => family.some((member) => meets(pattern, member, column.name))),
    );
    return { rules, name: `${relation.name}.${column.name}` };
  }

  #family(relation: CatalogRelation): readonly CatalogRelation[] {
    if (relation.children.length === 0 && relation.parents.length === 0) return [relation];
    const members = new Map<number, CatalogRelation>();
    const add = (one: CatalogRelation, next: (of: CatalogRelation) => readonly number[]): void => {
      members.set(one.oid, one);
      for (const oid of next(one)) {
        const other = this.catalog.relation(oid);
        if (other !== undefined && !members.has(oid)) add(other, next);
      }
    };
    add(relation, (one) => one.parents);
    for (const parent of [...members.values()]) add(parent, (one) => one.children);
    return [...members.values()];
  }

  /** The strongest rule for what is behind a value. */
  behind(value: Derivation, touched: ReadonlySet<number>, touchesAnything: boolean): MaskRule | undefined {
    if (value.anything) return this.any;
    const rules = [...value.origins].flatMap((place) => this.at(place).rules);
    // A name that was not found is a column of one of the relations that are read, or of one that nobody knows.
    if (value.unresolved.length > 0) rules.push(...(this.ofRelations(touched, touchesAnything) ?? []));
    return strongest(rules);
  }

  /**
   * Are these, as they stand, a foreign key and what it refers to, or foreign keys that refer to the same? Then neither
   * holds anything but values of that one column.
   */
  shareKey(left: Derivation, right: Derivation): boolean {
    const [one, other] = [onlyPlace(left), onlyPlace(right)];
    if (one === undefined || other === undefined) return false;
    const [ones, others] = [this.#referred(one), this.#referred(other)];
    return (
      ones.has(placeKey(other.relation, other.attribute)) ||
      others.has(placeKey(one.relation, one.attribute)) ||
      [...ones].some((place) => others.has(place))
    );
  }

  /** Do these columns of a row hold the primary key of its table, so that they tell the value's row already? */
  determines(by: readonly Derivation[], value: Derivation): boolean {
    const place = by.length === 0 ? undefined : onlyPlace(value);
    const relation = place === undefined ? undefined : this.catalog.relation(place.relation);
    // Tables that inherit from it may have rows of the same key.
    if (relation?.primaryKey === undefined || (relation.kind === 'table' && relation.children.length > 0)) return false;
    const known = new Set(
      by.flatMap((one) => onlyPlace(one) ?? []).map((one) => placeKey(one.relation, one.attribute)),
    );
    return relation.primaryKey.every((attribute) => known.has(placeKey(relation.oid, attribute)));
  }

  /** Is whatever this stands for masked at least as that rule does? Where it may be several columns, each of them. */
  maskAlike(value: Derivation, rule: MaskRule): boolean {
    if (!value.plain || value.anything || value.unresolved.length > 0) return false;
    const places = this.ownPlaces(value);
    return (
      places.length > 0 &&
      places.every((place) => !this.#sorts(place) && this.at(place).rules.some((one) => isAsStrong(one, rule)))
    );
  }

  /** Is it by this column that a table puts rows in its parts? */
  #sorts(place: number): boolean {
    const { relation, attribute } = placeOf(place);
    const key = this.catalog.relation(relation)?.partitionKey;
    return key !== undefined && (key.includes(attribute) || key.includes(0));
  }

  /** Where a value lies: a view's column is its own place and the one behind it. */
  ownPlaces({ origins }: Derivation): readonly number[] {
    return [...origins].filter((place) => this.catalog.relation(placeOf(place).relation)?.kind !== 'view');
  }

  /** May the one be brought to the other without being cut or changed by its type? */
  areAlike(one: Derivation, other: Derivation): boolean {
    const types = new Set([...one.origins, ...other.origins].map((place) => this.#kindOfType(place)));
    return types.size === 1 && !types.has(undefined);
  }

  #typeAt(place: number): number | undefined {
    const { relation, attribute } = placeOf(place);
    return this.catalog.relation(relation)?.columns.find((column) => column.attribute === attribute)?.typeOid;
  }

  #kindOfType(place: number): number | undefined {
    const type = this.#typeAt(place);
    return type !== undefined && TEXT_OIDS.has(type) ? TEXT_OID : type;
  }

  /** The type of a column as it stands, through views too; 0 where it is no column of one table. */
  typeOf(value: Derivation): number {
    const [place, ...others] = value.plain ? this.ownPlaces(value) : [];
    return place === undefined || others.length > 0 ? 0 : (this.#typeAt(place) ?? 0);
  }

  /** The columns that this one, by its foreign keys, holds nothing but values of. */
  #referred({ relation: oid, attribute }: ColumnPlace): ReadonlySet<number> {
    const relation = this.catalog.relation(oid);
    // Tables that inherit from it, unlike partitions, do not have its keys, and their rows are read with it.
    if (relation === undefined || (relation.kind === 'table' && relation.children.length > 0)) return new Set();
    return new Set(
      (relation.keys ?? []).flatMap(({ relation: target, columns, references }) =>
        columns.flatMap((column, index) => {
          const referred = references[index];
          return column === attribute && referred !== undefined ? [placeKey(target, referred)] : [];
        }),
      ),
    );
  }

  /** The rules of any column of these relations; every rule where there may be others. */
  ofRelations(touched: ReadonlySet<number>, touchesAnything: boolean): readonly MaskRule[] | undefined {
    if (touchesAnything) return this.rules;
    const rules = [...touched].flatMap((oid) => this.#ofRelation(oid) ?? []);
    return rules.length === 0 ? undefined : rules;
  }

  /** Is any column masked of what these read or write? */
  showsLess({ touched, touchesAnything }: Touched): boolean {
    return this.ofRelations(touched, touchesAnything)?.some((rule) => !rule.observed) === true;
  }

  #ofRelation(oid: number): MaskRule | undefined {
    if (this.#touching.has(oid)) return this.#touching.get(oid);
    const columns = this.catalog.relation(oid)?.columns ?? [];
    const rule = strongest(columns.flatMap(({ attribute }) => this.at(placeKey(oid, attribute)).rules));
    this.#touching.set(oid, rule);
    return rule;
  }
}

const TEXT_OID = 25;
/** text, varchar */
const TEXT_OIDS: ReadonlySet<number> = new Set([TEXT_OID, 1043]);

function onlyPlace({ plain, anything, unresolved, origins }: Derivation): ColumnPlace | undefined {
  const [place] = origins;
  const isOne = plain && !anything && unresolved.length === 0 && origins.size === 1;
  return isOne && place !== undefined ? placeOf(place) : undefined;
}

export function meets(
  pattern: ColumnPattern,
  relation: Pick<CatalogRelation, 'schema' | 'name'>,
  column: string,
): boolean {
  return part(pattern.schema, relation.schema) && part(pattern.table, relation.name) && part(pattern.column, column);
}

function part(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}

/** `*.NAME` meets a result column of that name, ignoring case; a table made since may be any that a pattern names. */
function meetsName(pattern: ColumnPattern, name: string, unknownTable: boolean): boolean {
  if (pattern.column === '*') return unknownTable;
  if (pattern.column.toLowerCase() !== name.toLowerCase()) return false;
  return unknownTable || pattern.table === '*';
}

/** Is a result's column one that the rule masks by its name alone? */
export function meetsByName(rule: MaskRule, { name, tableOid }: Pick<ResultColumn, 'name' | 'tableOid'>): boolean {
  return rule.columns.some((pattern) => meetsName(pattern, name, tableOid >= FIRST_USER_OID));
}
