/**
 * What is known of one database's catalogue at one moment: the words in which facts, lineage and masks
 * speak of relations and routines. Pure data; the agent reads it over a connection of its own.
 *
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */

import type { SqlRename } from '../../../policy/types.js';

/** A column's place: the object id of its relation and its attribute number, from 1. */
export interface ColumnPlace {
  readonly relation: number;
  readonly attribute: number;
}

export interface CatalogColumn {
  readonly attribute: number;
  readonly name: string;
  readonly typeOid: number;
  /** Expression of a default or a generated column as SQL text; undefined without one. */
  readonly expression?: string;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind:
    'table' | 'partitioned-table' | 'foreign-table' | 'view' | 'materialized-view' | 'composite' | 'sequence' | 'other';
  /** Rows as the planner estimates them (`reltuples`); -1 where never counted. */
  readonly estimatedRows: number;
  /** In order of attribute number, dropped ones left out. */
  readonly columns: readonly CatalogColumn[];
  /** The query of a view or materialized view as SQL, every name in it qualified. */
  readonly definition?: string;
  /** `CREATE RULE …` texts of rules other than a view's own. */
  readonly rules: readonly string[];
  readonly triggers: readonly CatalogTrigger[];
  /** Relations that inherit from it or are its partitions: what is read through it lies there too. */
  readonly children: readonly number[];
  /** Relations that it inherits from or is a partition of: its rows are theirs too. */
  readonly parents: readonly number[];
  /** Columns by which it is partitioned, 0 for an expression; absent where it is not. */
  readonly partitionKey?: readonly number[];
  /** Columns of its primary key where that is checked at once; absent where there is none. */
  readonly primaryKey?: readonly number[];
  /** Tables whose rows go, or change, with rows of this one, by their foreign keys. */
  readonly cascades: readonly CatalogCascade[];
  /** Its foreign keys whose every value stands in the table referred to; absent means none. */
  readonly keys?: readonly CatalogKey[];
  /** User-defined routines that reading it runs besides a view's query: conditions of row security. */
  readonly readRoutines: readonly number[];
  /** User-defined routines that writing it runs besides triggers and defaults: checks, indexes, row security. */
  readonly writeRoutines: readonly number[];
  /** User-defined routines that DELETE and TRUNCATE run besides triggers: conditions of triggers, row security. */
  readonly deleteRoutines: readonly number[];
  /**
   * Its texts could not be read because another transaction holds the relation, and were not known before:
   * what reading or writing it runs can't be told.
   */
  readonly withheld: boolean;
}

export interface CatalogCascade {
  readonly relation: number;
  /** `truncate`: only where TRUNCATE says CASCADE. */
  readonly on: 'update' | 'delete' | 'truncate';
  /** What happens to the rows there. */
  readonly does: 'update' | 'delete' | 'truncate';
  /** Columns that are referred to: an UPDATE of others reaches nothing. */
  readonly of: readonly string[];
  /** Columns that refer to them: what `update` sets. */
  readonly columns: readonly string[];
}

/** A foreign key: the columns of a relation, and those of another that they refer to, in the same order. */
export interface CatalogKey {
  readonly columns: readonly number[];
  readonly relation: number;
  readonly references: readonly number[];
}

export interface CatalogTrigger {
  readonly name: string;
  /** What its function calls the tables of all rows before and after; absent means it asks for none. */
  readonly transitions?: readonly string[];
  readonly routine: number;
  readonly events: readonly ('insert' | 'update' | 'delete' | 'truncate')[];
}

export interface CatalogRoutine {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window';
  /** `sql`, `plpgsql`, `c`, `internal`, … */
  readonly language: string;
  /** Body text as stored; empty where the language keeps it elsewhere. For SQL-standard bodies the text of the body. */
  readonly source: string;
  /** Fewest and most arguments it can be called with; most is Infinity where variadic. */
  readonly argumentsFrom: number;
  readonly argumentsTo: number;
  /** Types of its arguments, in order; without OUT arguments. */
  readonly argumentTypes: readonly number[];
  /** Its arguments as CREATE FUNCTION takes them, names, types and defaults. */
  readonly argumentList: string;
  /** What stands behind RETURNS; empty for procedures. */
  readonly returns: string;
  /** Object id of the type it returns, and whether it returns a set of them. */
  readonly resultType: number;
  readonly returnsSet: boolean;
  /** The body is SQL-standard (`RETURN …` or `BEGIN ATOMIC …`), parsed when it was made. */
  readonly atomic: boolean;
  /** `source` could not be read: too long, or held by another transaction. */
  readonly withheld: boolean;
  /** Of an aggregate: the routines that do its work, user-defined ones. */
  readonly support: readonly number[];
  /** Member of an extension: known unless on the dangerous list. */
  readonly extension: boolean;
  /** `SET` clauses of the routine, as `name=value`. */
  readonly settings: readonly string[];
}

/** All that is known; made once for each reading and shared by every session of that connection, credential and database. */
export interface Catalog {
  /** Another string whenever anything in it differs: facts and lineage are remembered by it. */
  readonly stamp: string;
  /** Schemas in which the credential's unqualified names are looked up at the start of a session, in order. */
  readonly searchPath: readonly string[];
  /** The role that the credential's sessions start as: what `$user` stands for. */
  readonly user: string;
  /** Schemas in which that role may look names up; a search path passes over the others. */
  readonly schemas: ReadonlySet<string>;
  relation(oid: number): CatalogRelation | undefined;
  relations(): Iterable<CatalogRelation>;
  /** All relations of that name, in whatever schema. */
  relationsNamed(name: string): readonly CatalogRelation[];
  routine(oid: number): CatalogRoutine | undefined;
  routines(): Iterable<CatalogRoutine>;
  /** User-defined routines of that name, in whatever schema; those of pg_catalog are not listed. */
  routinesNamed(name: string): readonly CatalogRoutine[];
  /** Routines behind user-defined operators of that name. */
  operatorRoutines(name: string): readonly CatalogRoutine[];
  /** Routines behind user-defined casts to or from the type of that name, and checks of the domain of that name. */
  castRoutines(typeName: string): readonly CatalogRoutine[];
  /** Is there a domain of that name, in whatever schema? It may stand for a type of the server's, and cut or check values. */
  hasDomain(typeName: string): boolean;
  /** The same by the type's object id: values of it may run them unseen, where they are assigned. */
  typeRoutines(oid: number): readonly CatalogRoutine[];
  /** Routines of event triggers, which any DDL may reach. */
  readonly eventTriggerRoutines: readonly CatalogRoutine[];
  /** The type with that object id, as far as masks must know it. */
  type(oid: number): CatalogType | undefined;
}

export interface CatalogType {
  readonly oid: number;
  readonly name: string;
  readonly kind: 'base' | 'array' | 'composite' | 'domain' | 'enum' | 'range' | 'multirange' | 'pseudo';
  /** Of an array its elements', of a domain its base, of a range its bounds'; 0 otherwise. */
  readonly of: number;
  /** Of a composite: its relation, whose columns are its fields. */
  readonly relation: number;
}

/** How a session looks names up now. */
export interface NameLookup {
  /** What the session's open transaction renamed: the catalogue does not show it yet. */
  readonly renames?: readonly SqlRename[];
  /** The session has changed what the catalogue does not show yet. */
  readonly unsettled?: true;
  /** Undefined where nobody can tell: then a name without schema may stand for any schema's. */
  readonly searchPath: readonly string[] | undefined;
}
