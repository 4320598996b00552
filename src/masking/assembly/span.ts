/** What a finder found: addresses, `to` exclusive. */
export let from: usize = 0;
export let to: usize = 0;

export function found(start: usize, end: usize): bool {
  from = start;
  to = end;
  return true;
}
