import { Worker } from 'node:worker_threads';

/** From sources, as tests run them, a thread needs the loader of TypeScript that the program itself has. */
const FROM_SOURCES = `
const { workerData } = require('node:worker_threads');
import('tsx/esm/api').then(({ register }) => {
  register();
  return import(workerData.replace(/\\.js$/, '.ts'));
});
`;

/** Starts a thread that holds no exit up. @param script the built file beside the caller: `new URL('./x.js', import.meta.url)` */
export function openThread(script: URL): Worker {
  const worker = import.meta.url.endsWith('.ts')
    ? new Worker(FROM_SOURCES, { eval: true, workerData: script.href })
    : new Worker(script);
  worker.unref();
  return worker;
}
