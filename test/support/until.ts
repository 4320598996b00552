const DEADLINE_MS = 20_000;

/** Asks again and again, for 20 s at most. @returns what was found; false and undefined are nothing */
export async function until<T>(what: string, met: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await met();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`not within ${String(DEADLINE_MS)} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
