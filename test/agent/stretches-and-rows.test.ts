import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres, sharedPostgres } from '../support/postgres-server.js';

const ROWS = 500;
/** Rows of all shapes, an address or a card in most of them, behind escapes and in structures in some. */
const SEED = `
  create table notes (id int primary key, plain text, escaped text, doc jsonb, loose text, tags text[], number int8);
  insert into notes select g,
    case g % 5 when 0 then 'nothing' when 1 then 'to u' || g || '@example.com' else 'card 4111 1111 1111 1111, ' || g end,
    case g % 7 when 0 then 'C:\\temp\\' || g when 1 then E'a\\\\b\\n"u' || g || '@example.com"' when 2 then 'u' || g || '&#64;example.com'
      when 3 then '\\\\x' || encode(('u' || g || '@example.com')::bytea, 'hex') else '\\' end,
    case g % 3 when 0 then null when 1 then jsonb_build_object('mail', 'u' || g || '@example.com', 'n', g) else jsonb_build_array(g, 4111111111111111) end,
    case g % 4 when 0 then '{"a":"u' || g || '\\u0040example.com"}' when 1 then '<a>u' || g || '&#x40;example.com</a>'
      when 2 then '{plain,"u' || g || '@example.com"}' else '(1,"u' || g || '@example.com")' end,
    case g % 3 when 0 then array['x "y" \\', 'u' || g || '@example.com'] when 1 then array[null, '{"m":"u' || g || '@example.com"}'] else '{}' end,
    case g % 2 when 0 then 4111111111111111 else g end
  from generate_series(1, ${String(ROWS)}) g;
`;
const COLUMNS = 'id, plain, escaped, doc::text as doc_text, doc, loose, tags, number';

describe.skipIf(missingPostgres() !== undefined).each(['redact', 'partial', 'hash'])(
  '500 rows under %s',
  (strategy) => {
    let agent: TestAgent;
    let db: pg.Client;

    beforeAll(async () => {
      const database = `stretches_${strategy}`;
      await (await sharedPostgres()).createDatabase(database, SEED);
      const policies = `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec: { mask: [{ name: pii, entities: [email, credit-card], strategy: ${strategy} }] }
`;
      agent = await startTestAgent({ policies, database });
      const { port } = await agent.port({ groups: ['engineering', 'dba'] });
      db = new pg.Client({ host: '127.0.0.1', port, user: 'x', database: 'postgres' });
      await db.connect();
    });

    afterAll(async () => {
      await db.end();
      await agent.close();
    });

    it('are masked the same in one result and each in a result of its own', async () => {
      // Everything as text, so that what was sent is compared and not what a driver makes of it.
      const types = { getTypeParser: () => (value: string | Buffer) => value };
      const asked = (more: string): pg.QueryArrayConfig => ({
        text: `select ${COLUMNS} from notes ${more}`,
        rowMode: 'array',
        types: types,
      });
      const all = (await db.query(asked('order by id'))).rows;
      expect(all).toHaveLength(ROWS);
      expect(JSON.stringify(all)).not.toMatch(/@example\.com"?[^*]*u\d|u\d+(?:@|&#64;|&#x40;|\\+u0040)example\.com/);
      for (let id = 1; id <= ROWS; id += 1) {
        const [alone] = (await db.query(asked(`where id = ${String(id)}`))).rows;
        expect(all[id - 1], `row ${String(id)}`).toEqual(alone);
      }
    });
  },
);
