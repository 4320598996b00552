import { parentPort } from 'node:worker_threads';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { SharedPGlite } from './shared-pglite.js';
import { TRIAL_DATA } from './trial-data.js';

/** More than a person opens by hand; each of the agent's catalogue readings is one too. */
const MAX_CONNECTIONS = 64;

// A thread of its own: a statement that runs long must not hold up the identity provider or Ctrl-C.
const database = new SharedPGlite('memory://');
await database.waitReady;
await database.exec(TRIAL_DATA);
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: MAX_CONNECTIONS });
database.connections = () => server.getStats().activeConnections;
await server.start();
parentPort?.postMessage({ port: Number(server.getServerConn().split(':').at(-1)) });
