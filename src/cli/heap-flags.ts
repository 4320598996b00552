import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 collect early what is no longer used, instead of growing: for a program that looks through a gigabyte, a few
 * kilobytes at a time, and would hold 100 MB of what it has seen. Both flags are looked at whenever the heap would
 * grow, so that they count at once.
 *
 * Called before compiled code is taken from its cache: V8 takes none that was made under other flags.
 */
export function spareMemory(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
}

/**
 * The contrary, for local ports: buffers of a large result come and go by the 26 MB, V8 counts them with the few megabytes
 * of objects that live here, and would look through all of these again and again. `agent/heap-room` has more of it.
 *
 * Called before compiled code is taken from its cache, too.
 */
export function giveHeapRoom(): void {
  setFlagsFromString('--heap-growing-percent=500');
}
