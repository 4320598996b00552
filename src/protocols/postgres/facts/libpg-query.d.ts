/**
 * The package types only its wrapper, which holds one instance for ever. The wrapper can't be used:
 * see `grammar.ts` for why instances have to be thrown away.
 */
declare module 'libpg-query/wasm/libpg-query.js' {
  /** One instance of the WebAssembly module: C functions (pointers are numbers) and text transfer. */
  export interface GrammarInstance {
    /** A fresh view after memory grew. */
    readonly HEAPU8: Uint8Array;
    getValue(pointer: number, type: 'i32'): number;
    UTF8ToString(pointer: number): string;
    stringToUTF8(text: string, pointer: number, maxBytes: number): void;
    lengthBytesUTF8(text: string): number;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _wasm_parse_query_raw(text: number): number;
    _wasm_free_parse_result(result: number): void;
    _wasm_parse_plpgsql(text: number): number;
    _wasm_free_string(text: number): void;
  }
  export default function createGrammar(): Promise<GrammarInstance>;
}
