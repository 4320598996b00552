/** About what the machine takes for a thing that a session remembers, its text aside. */
const THING_BYTES = 1_024;

/** About how many bytes of memory a text costs that a session remembers, with all that is known of it. */
export function keptBytes(text: string): number {
  return THING_BYTES + 2 * text.length;
}
