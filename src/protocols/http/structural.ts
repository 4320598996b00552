/**
 * What in an answer of a model API is structure: clients compare it, or send it back with the next request, so that a
 * mask there would break them. It is left alone only while it looks like what it should be.
 */

const STRINGS = new Set(
  `id object type role model status finish_reason native_finish_reason stop_reason system_fingerprint service_tier item_id
   call_id tool_call_id tool_use_id response_id previous_response_id file_id container_id batch_id request_id event_id
   input_file_id output_file_id error_file_id obfuscation signature encrypted_content encrypted_index`.split(/\s+/),
);
/** Of one word each, not of people: `chatcmpl-9aZ`, `gpt-4.1`, base64. */
const TOKEN = /^[A-Za-z0-9_.:/+=-]*$/;
const LETTER = /[A-Za-z]/;
/** As long as a card's number, in one run or in fours. */
export const LONG_NUMBER = /\d{13}|\d{4}(?:[-.]\d{4}){3}/;
const SHORT_NUMBER_LENGTH = 11;
const NUMBERS =
  /^(?:created|index|seed|n|sequence_number|.*_(?:index|tokens|at|count|counts|ms|seconds|characters|units|requests)|embedding|usage)$/;
/** Names that no API gives to people: what else stands as a name is masked like a value. */
const PLAIN_NAME = /^[a-z_]{1,40}$/;

/** @param name the member it is the value of */
export function isStructuralString(name: string, value: string): boolean {
  if (!STRINGS.has(name)) return false;
  return TOKEN.test(value) && (LETTER.test(value) || value.length <= SHORT_NUMBER_LENGTH) && !LONG_NUMBER.test(value);
}

/** Counts, indexes, times and vectors. A number as long as a card's is none, except with a decimal point. */
export function isStructuralNumber(name: string, token: string): boolean {
  return NUMBERS.test(name) && (token.length <= SHORT_NUMBER_LENGTH || token.includes('.'));
}

export function isStructuralName(name: string): boolean {
  return PLAIN_NAME.test(name);
}
