import type { Catalog, CatalogRelation, CatalogRoutine } from '../catalog/types.js';
import type { TreeNode } from '../facts/tree.js';
import type { BodyParts } from './body-parts.js';
import type { Ctes } from './scope.js';
import type { Derivation } from './derivation.js';
import type { Findings } from './findings.js';
import type { GivenValue } from './given-values.js';
import type { JsonShape } from './json-shape.js';
import type { Made, SessionNames } from './session-names.js';
import type { Level, Output } from './scope.js';

/** What one statement gives, and what else has to be known of it. */
export interface StatementReading {
  /** Columns of its rows; undefined where it gives none. */
  readonly output?: Output;
  /** Its rows are those of a prepared statement or a cursor of that name; what EXECUTE gives it, as trees. */
  readonly runs?: {
    readonly kind: 'prepared' | 'cursor';
    readonly name: string;
    readonly given?: readonly unknown[];
  };
  /** PREPARE and DECLARE: what will run under that name, and which columns its parameters are compared with. */
  readonly holds?: {
    readonly kind: 'prepared' | 'cursor';
    readonly name: string;
    readonly output: Output;
    readonly parameters?: readonly GivenValue[];
  };
  /** Columns that a COPY writes to the client. */
  readonly copies?: Output;
  readonly makes?: Made;
}

/** Does it run no cursor or prepared statement, and makes nothing that a later statement may name? */
export function isOfItsOwn({ runs, holds }: StatementReading): boolean {
  return runs === undefined && holds === undefined;
}

/**
 * One reading of one text, as the parts of this room see it: what they look up, what they note and
 * how they call each other. `read-lineage.ts` puts it together.
 */
export interface Reading {
  readonly catalog: Catalog;
  readonly names: SessionNames;
  /** Are names that are not found parameters and variables, as in a body? */
  readonly inBody: boolean;

  /** Counts steps of work, one where nothing is said. @throws OverBounds when there were too many */
  step(count?: number): void;
  readonly findings: Findings;
  /** The same reading where names may be parameters and variables. @param around rows and tables that it is given */
  body(around?: Level): Reading;

  /** A statement inside of another: of a body. */
  statement(node: unknown): StatementReading;
  value(node: unknown, level: Level): Derivation;
  /** Of an expression that builds a JSON document, what stands where in it. */
  shape(node: unknown, level: Level): JsonShape | undefined;
  /** A condition: whatever its truth depends on is noted, but for what equality with a value allows. */
  condition(node: unknown, level: Level, clause: string): void;
  /** A SELECT, or a data-changing statement with RETURNING, tagged. */
  query(node: unknown, outer: Level | undefined, ctes: Ctes | undefined): Output;
  select(node: TreeNode, outer: Level | undefined, ctes: Ctes | undefined): Output;
  /** What the columns of a view give. */
  view(relation: CatalogRelation): readonly Derivation[] | undefined;
  /** The documents among them, by the same places. */
  viewDocuments(relation: CatalogRelation): readonly (JsonShape | undefined)[];
  /** What the columns of a table give where some are generated from others; undefined where none is. */
  generated(relation: CatalogRelation): readonly Derivation[] | undefined;
  /** All columns of a view that the session itself has made. */
  madeView(query: TreeNode): Derivation;
  /** What a routine does that the session itself has made; undefined where its body could not be read. */
  madeRoutine(body: BodyParts | undefined): RoutineReading;
  /** Everything that a routine's body tells of. */
  routine(routine: CatalogRoutine): RoutineReading;
}

export interface RoutineReading {
  readonly result: Derivation;
  /** Might it show, keep or multiply what it is given, besides giving a value back? */
  readonly hasEffects: boolean;
  /** Its body can't be read: of text that it is given nobody knows whether it runs it. */
  readonly unread?: true;
}
