import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow over what lives in it before V8 looks through all of it, in per cent. */
const GROWTH_PERCENT = 100;

/**
 * Keeps V8 from looking through the whole heap for the sake of buffers that are dead already. It counts the memory of
 * buffers with that of objects, and after some seconds of rest lets the heap grow by a few megabytes only: a large result,
 * whose buffers come and go by the 26 MB, then has it marked again and again, beside the program and in it. SELECT of 40 MB
 * took three times the processor time (docs/performance.md). The flag is looked at whenever a limit is set.
 */
export function giveHeapRoom(): void {
  setFlagsFromString(`--heap-growing-percent=${String(GROWTH_PERCENT)}`);
}
