import { parentPort } from 'node:worker_threads';
import { loadGrammar, readSql, type SqlReading } from '../../../protocols/postgres/facts/analyze.js';

/** The thread of `TextStudy`: one text in, one reading out, without the text, which the other side has. */
parentPort?.on('message', (text: string) => {
  void loadGrammar().then(() => {
    const reading = readSql(text, { outline: true });
    const answer: SqlReading = { ...reading, facts: { ...reading.facts, text: '' } };
    parentPort?.postMessage(answer);
  });
});
