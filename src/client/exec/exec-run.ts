import type { Writable } from 'node:stream';
import { HoopError } from '../../core/errors.js';
import type { ObtainOptions } from '../connect/obtain-access.js';
import type { Access, Target } from '../connect/open-connections.js';
import type { PacedOutput } from './paced-output.js';
import type { ScriptSource, TextParts } from './script-source.js';

export const FORMATS = ['table', 'json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** `--json` means the same as `-o json`. @throws HoopError usage when both are given and differ */
export function formatFrom(json: boolean, output: Format | undefined): Format {
  if (json && output !== undefined && output !== 'json')
    throw new HoopError('usage', `--json and -o ${output} exclude each other`);
  return json ? 'json' : (output ?? 'table');
}

export interface ExecOptions {
  readonly access: Access;
  /** Asks for access, with `wait`; where absent, it is used as it is. */
  readonly api?: ObtainOptions['api'];
  readonly connection: string;
  readonly source: ScriptSource;
  /** `table`, the default, is the one for people. */
  readonly format: Format;
  readonly singleTransaction: boolean;
  /** `10m`; undefined: as long as the approval flow allows. */
  readonly wait?: string | undefined;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Takes a line for people. */
  readonly say: (line: string) => void;
}

/** What a run of either kind is given. */
export interface ExecRun {
  readonly options: ExecOptions;
  /** What is to be run, as it arrives. */
  readonly parts: TextParts;
  readonly target: Target;
  /** Longest wait for one approval, in ms. */
  readonly waitMs: number | undefined;
  readonly output: PacedOutput;
}
