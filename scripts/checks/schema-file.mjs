// Holds the published JSON Schema against what reads the files (as built into dist/).
import { format } from 'prettier';
import { anyKindSchema } from '../../dist/src/config/json-schema.js';
import { holdPage } from './generated.mjs';

holdPage(
  new URL('../../examples/schema/hoop-v1.schema.json', import.meta.url),
  await format(JSON.stringify(anyKindSchema()), { parser: 'json', printWidth: 120 }),
);
