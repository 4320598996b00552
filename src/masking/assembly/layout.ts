/**
 * Where everything stands in the module's memory. `src/masking/chunks/chunk-engine.ts` reads these numbers from the module's
 * exports.
 */

/** Written once, from the tables of the TypeScript detectors. */
export const CLASSES: usize = 0x10000;
export const IBAN_LENGTHS: usize = 0x10200;
export const IBAN_DIGITS: usize = 0x10500;
export const ISSUER_LENGTHS: usize = 0x11000;

/** Written whenever another plan or another form of rows is masked. */
export const CONFIG: usize = 0x1b000;
export const LABELS: usize = 0x1c000;
export const LITERALS: usize = 0x1e000;
export const COLUMNS: usize = 0x22000;

/** What a call leaves: `CONSUMED`, `ROWS_SEEN`, `OUT_LENGTH`, `SLOW_COUNT`, then one count for each entity. */
export const RESULT: usize = 0x23000;
export const COUNTS: usize = RESULT + 32;

/** Bytes of one call at most. */
export const CHUNK: usize = 0x20000;
/** The bytes as they came, and a copy in which whatever is no text has become NUL. */
export const RAW: usize = 0x24000;
export const SCAN: usize = 0x45000;
/** Offsets: of each cell's text (its kind in the top bits), of each row. */
export const CELLS: usize = 0x66000;
export const ROWS: usize = 0x87000;
/** From, to and place in the output of each row that is left to TypeScript: three numbers of four bytes. */
export const SLOW: usize = 0xa8000;
export const OUT: usize = 0x100000;
export const OUT_BYTES: usize = 0x80000;

/** In `CONFIG`. */
export const ENABLED: usize = CONFIG;
export const FORM: usize = CONFIG + 4;
export const DELIMITER: usize = CONFIG + 8;
/** Columns of a row; 0 where nobody knows them, in COPY. */
export const COLUMN_COUNT: usize = CONFIG + 16;
/** Nine numbers of two bytes: the literals of bucket n are those from number n up to number n + 1. */
export const BUCKETS: usize = CONFIG + 0x20;
/** For each entity: action u32, offset of the label u32, length of the label u32, unused. */
export const ACTIONS: usize = CONFIG + 0x40;
/** Six tables of sixteen bytes: which literals may begin with this half of a byte, for the first three bytes. */
export const NIBBLES: usize = CONFIG + 0x100;

export const FORM_ROWS: u32 = 0;
export const FORM_COPY_TEXT: u32 = 1;
export const FORM_COPY_CSV: u32 = 2;

export const EMAIL: u32 = 0;
export const CARD: u32 = 1;
export const SSN: u32 = 2;
export const PHONE: u32 = 3;
export const IBAN: u32 = 4;
export const IP: u32 = 5;
export const CPF: u32 = 6;
/** No findings of their own: they send rows to TypeScript. */
export const URL_PASSWORD: u32 = 7;
export const LITERAL: u32 = 8;

export const ACTION_SLOW: u32 = 0;
export const ACTION_LABEL: u32 = 1;
export const ACTION_DOMAIN: u32 = 2;
export const ACTION_LAST4: u32 = 3;
export const ACTION_THIRD: u32 = 4;

export const KIND_PASS: u32 = 0;
export const KIND_TEXT: u32 = 1;
/** Text in which a finding is TypeScript's: numbers, JSON, arrays. */
export const KIND_DECIDED: u32 = 2;

/** Of one literal: unused u8, length u8, least bytes after it u8, check u8, then its bytes. */
export const LITERAL_BYTES: usize = 64;
export const CHECK_NONE: u8 = 0;
export const CHECK_KEY: u8 = 1;
export const CHECK_JWT: u8 = 2;
export const CHECK_PEM: u8 = 3;
/** Kinds that begin with digits, and those of them that may hold dots. */
export const NUMBERS: u32 = (1 << CARD) | (1 << SSN) | (1 << PHONE) | (1 << IBAN) | (1 << IP) | (1 << CPF);
export const DOTTED: u32 = (1 << PHONE) | (1 << IP) | (1 << CPF);
