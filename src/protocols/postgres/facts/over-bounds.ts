/** Thrown inside a walk when a bound on its work is reached; `readSql` makes it a fact. */
export class OverBounds extends Error {}
