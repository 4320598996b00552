import type { ChunkCell } from '../../../masking/chunks/chunk-masker.js';
import type { Form, TypeShape } from './type-shapes.js';

const IN_TEXT: ReadonlySet<Form> = new Set(
  'fixed text json jsonb number address name scalar vector hstore tsvector unknown'.split(' ') as Form[],
);
const IN_BINARY: ReadonlySet<Form> = new Set<Form>(['fixed', 'name', 'text', 'json', 'jsonb']);

/**
 * Does a scan of the raw bytes of such values miss nothing that stands behind no backslash or reference?
 *
 * @param format 0 text, 1 binary
 */
export function isScanned(shape: TypeShape, format: number, shapeOf: (oid: number) => TypeShape): boolean {
  if (format === 1) return IN_BINARY.has(shape.form);
  return shape.form === 'array' ? isScanned(shapeOf(shape.of), format, shapeOf) : IN_TEXT.has(shape.form);
}

/** Text is masked where it stands; where the scan finds something in any other, the row is looked at. */
export function chunkCell(shape: TypeShape): ChunkCell {
  return shape.form === 'text' ? 'text' : 'decided';
}
