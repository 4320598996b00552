/** One thing wrong in the resource files, at the place to mend it. Lines and columns count from 1. */
export interface ConfigFault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** A lower-case fragment; never a value from the file or the environment, only keys and names. */
  readonly message: string;
}

/** `FILE:LINE:COLUMN: message`, as editors and compilers read it. */
export function formatFault(fault: ConfigFault): string {
  return `${fault.file}:${String(fault.line)}:${String(fault.column)}: ${fault.message}`;
}
