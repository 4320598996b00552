import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { missingPostgres } from '../support/postgres-server.js';
import { rawSession, type RawSession } from '../support/raw-session.js';
import { cstring, execute, i32, message, parse, query, sync, u16 } from '../protocols/postgres/wire.js';
import { makeFolder } from '../support/folders.js';
import { openClient } from '../support/pg-client.js';

const MAIL = 'ann.lee@example.com';
const CARD = '4111111111111111';
const FLOAT_CARD = '378282246310005';

const run = promisify(execFile);

const SCHEMA = `
  create extension hstore; create extension citext;
  create type person as (name text, mail text);
  create type household as (head person, members person[], extra hstore, doc jsonb, scan bytea);
  create type mood as enum ('${MAIL}', 'calm');
  create type textrange as range (subtype = text);
  create domain mail_address as text check (value like '%@%' or value like '[%' or value like 'u\\_%');
  create domain people as person[];
`;

const hex = (text: string): string => Buffer.from(text).toString('hex');
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const text = (value: string): string => `${quote(value)}::text`;

/** Name of the type, and an expression of it that holds a secret. */
const HIDDEN: readonly (readonly [type: string, expression: string])[] = [
  ['text', text(`to ${MAIL}, card ${CARD}`)],
  ['varchar(99)', `${text(MAIL)}::varchar(99)`],
  ['char(40)', `${text(MAIL)}::char(40)`],
  ['name', `${text(MAIL)}::name`],
  ['citext', `${text(MAIL)}::citext`],
  ['mail_address', `${text(MAIL)}::mail_address`],
  ['mood', `${text(MAIL)}::mood`],
  ['int8', `${CARD}::int8`],
  ['numeric', `${CARD}::numeric`],
  ['float8', `${FLOAT_CARD}::float8`],
  ['money', `${text('$41,111,111,111,111.11')}::money`],
  ['json', `${quote(String.raw`{"a": ["ann.lee\u0040example.com", 1]}`)}::json`],
  ['jsonb', `${quote(`{"${MAIL}": {"n": ${CARD}}}`)}::jsonb`],
  ['text', text(JSON.stringify({ inner: JSON.stringify({ mail: MAIL.replace('@', '\\u0040') }) }))],
  ['text[]', `array['plain', 'a "b" \\ c', null, ${quote(`x ${MAIL}, y`)}]`],
  ['text[]', `'[0:1][1:1]={{a},{${MAIL}}}'::text[]`],
  ['varchar[]', `array[${quote(MAIL)}]::varchar[]`],
  ['int8[]', `array[1, ${CARD}]::int8[]`],
  ['numeric[]', `array[1.5, ${CARD}]::numeric[]`],
  ['jsonb[]', `array['{"a": "x"}'::jsonb, ${quote(`{"a": "${MAIL}"}`)}::jsonb]`],
  ['json[]', `array[${quote(String.raw`{"a": "ann.lee\u0040example.com"}`)}::json]`],
  ['bytea', `'\\x${hex(`to ${MAIL}`)}'::bytea`],
  ['bytea', `'\\x00ff01${hex(MAIL)}'::bytea`],
  ['bytea', `convert_to(${quote(MAIL)}, 'UTF8') || '\\x00'::bytea || 'zz'::bytea`],
  ['bytea[]', `array['\\x${hex(MAIL)}', '\\x00ff']::bytea[]`],
  ['person', `row('Ann (her) "x"', ${quote(`"${MAIL}", \\`)})::person`],
  ['person[]', `array[row('Ann', ${quote(MAIL)}), row('Bo', null)]::person[]`],
  ['people', `array[row('Ann', ${quote(MAIL)})]::person[]::people`],
  [
    'household',
    `row(row('a', ${quote(MAIL)}), array[row('b "q"', ${quote(MAIL)})]::person[], hstore('k "1"', ${quote(MAIL)}),
      ${quote(`{"m": ["${MAIL}"]}`)}, '\\x${hex(MAIL)}')::household`,
  ],
  ['household[]', `array[row(null, null, hstore(${quote(MAIL)}, null), null, '\\x${hex(MAIL)}')]::household[]`],
  ['hstore', `hstore(array['k', 'it''s "x" \\'], array[${quote(MAIL)}, null])`],
  ['hstore', `hstore(${quote(MAIL)}, 'v')`],
  ['hstore[]', `array[hstore('k', ${quote(MAIL)})]`],
  ['textrange', `textrange('a', ${quote(MAIL)})`],
  ['textrange[]', `array[textrange('a', ${quote(MAIL)}), textrange('x', 'y')]`],
  ['textmultirange', `textmultirange(textrange('a', ${quote(MAIL)}), textrange('x', 'y'))`],
  ['int8range', `int8range(1, ${CARD})`],
  ['numrange', `numrange(1, ${CARD}, '[]')`],
  ['int8multirange', `int8multirange(int8range(1, ${CARD}))`],
  ['int8range[]', `array[int8range(1, ${CARD}), int8range(1, 2)]`],
  ['xml', `xmlelement(name a, xmlattributes(${quote(`<${MAIL}>`)} as m), ${quote(`"${MAIL}" & <x>`)})`],
  ['xml', `'<a>ann.lee&#64;example.com<b x="ann.lee&#x40;example.com"/></a>'::xml`],
  ['xml', `'<a>ann.lee<![CDATA[@]]>example.com<!-- ${MAIL} --></a>'::xml`],
  ['xml[]', `array['<a>ann.lee&#64;example.com</a>'::xml]`],
  ['tsvector', `to_tsvector('simple', ${quote(`mail ${MAIL} it's`)})`],
  ['tsquery', `quote_literal(${quote(MAIL)})::tsquery`],
  ['jsonpath', `${quote(`$.a ? (@ == "${MAIL}")`)}::jsonpath`],
  ['varbit', `('x${hex(MAIL)}')::varbit`],
];

/** Every way in which the secrets would show in the bytes. */
const spellings = (bytes: Buffer): string =>
  [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    bytes.toString('latin1').replace(/[01]{8}/g, (bits) => String.fromCharCode(parseInt(bits, 2))),
  ].join('\n');
const int8 = Buffer.alloc(8);
int8.writeBigInt64BE(BigInt(CARD));
const float8 = Buffer.alloc(8);
float8.writeDoubleBE(Number(FLOAT_CARD));
const SECRETS = [
  MAIL,
  CARD,
  FLOAT_CARD,
  hex(MAIL),
  hex(hex(MAIL)),
  int8.toString('hex'),
  float8.toString('hex'),
  '100f045704570457',
  'ann.lee\\u0040',
  'ann.lee&#',
  '41,111,111',
];

const policy = (strategy: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: values }
spec:
  mask: [{ name: pii, entities: [email, credit-card], strategy: ${strategy} }]
`;

describe.skipIf(missingPostgres() !== undefined).each(['redact', 'hash'])(
  'values on a real server under %s',
  (strategy) => {
    let agent: TestAgent;
    let through: Client;
    let session: RawSession;
    let direct: Client;
    let port: number;

    beforeAll(async () => {
      agent = await startTestAgent({ policies: policy(strategy) });
      const { host, port: serverPort, superuser } = agent.postgres;
      direct = new Client({
        host,
        port: serverPort,
        database: agent.database,
        user: superuser.username,
        password: superuser.password,
      });
      await direct.connect();
      await direct.query(SCHEMA);
      ({ port } = await agent.port());
      through = await openClient({ port, database: agent.database, user: 'me' });
      session = await rawSession(port);
    });
    afterAll(async () => {
      session.end();
      await through.end();
      await direct.end();
      await agent.close();
    });

    /** The one value of a row, as the client gets it. */
    const value = async (expression: string, binary: boolean): Promise<Buffer | null> => {
      const formats = Buffer.concat([u16(1), u16(binary ? 1 : 0)]);
      session.send(
        Buffer.concat([
          parse('', `select ${expression}`),
          message('B', Buffer.concat([cstring(''), cstring(''), u16(0), u16(0), formats])),
          execute(''),
          sync(),
        ]),
      );
      const answers = await session.until('Z');
      const row = answers.find(({ type }) => type === 'D')?.body;
      if (row === undefined) throw new Error(`no row: ${answers.map(({ body }) => body.toString()).join(' ')}`);
      const length = row.readInt32BE(2);
      return length === -1 ? null : row.subarray(6, 6 + length);
    };
    const hidesAll = (bytes: Buffer | null): void => {
      const seen = bytes === null ? '' : spellings(bytes);
      for (const secret of SECRETS) expect(seen).not.toContain(secret);
    };

    it.each(HIDDEN)('%s in text holds no secret and still parses: %s', async (type, expression) => {
      const shown = await value(expression, false);
      hidesAll(shown);
      // That a label is of an enum only the catalogue knows.
      if (shown === null || type === 'mood') return;
      const { rows } = await direct.query(`select $1::text::${type} ::text is not null as parsed`, [shown.toString()]);
      expect(rows).toEqual([{ parsed: true }]);
    });

    it.each(HIDDEN)('%s in binary holds no secret and is still read: %s', async (type, expression) => {
      const shown = await value(expression, true);
      hidesAll(shown);
      if (shown === null || type === 'mood') return;
      const { rows } = await direct.query(`select $1::${type} ::text is not null as received`, [shown]);
      expect(rows).toEqual([{ received: true }]);
    });

    /** What psql writes for these commands, byte by byte. */
    const psql = async (...commands: string[]): Promise<Buffer> => {
      const target = ['-h', '127.0.0.1', '-p', String(port), '-X', '-q', '-A', '-t', '-d', agent.database];
      const { stdout } = await run('psql', [...target, ...commands.flatMap((command) => ['-c', command])], {
        encoding: 'buffer',
        maxBuffer: 64 * 1024 * 1024,
      });
      return stdout;
    };
    // The rows of a COPY don't say that a column is money, and in text of another type its digits are no number.
    const everything = HIDDEN.filter(([type]) => type !== 'money')
      .map(([, expression], index) => `${expression} as c${String(index)}`)
      .join(', ');

    it.each(['text', 'csv', 'binary'])(
      'COPY in %s form of every type holds no secret, and is read back by the server',
      async (form) => {
        const stdout = await psql(`copy (select ${everything}) to stdout (format ${form})`);
        hidesAll(stdout);
        const texts = HIDDEN.filter(([type]) => ['text', 'text[]', 'jsonb', 'bytea', 'xml', 'hstore'].includes(type));
        const columns = texts.map(([type], index) => `c${String(index)} ${type}`).join(', ');
        await direct.query(`drop table if exists copied; create table copied (${columns})`);
        const list = texts.map(([, expression]) => expression).join(', ');
        const rows = await psql(`copy (select ${list} from generate_series(1, 3)) to stdout (format ${form})`);
        const folder = makeFolder('copied');
        await writeFile(join(folder, 'rows'), rows);
        const { postgres, database } = agent;
        await run('psql', ['-X', '-d', database, '-c', `\\copy copied from '${folder}/rows' (format ${form})`], {
          env: {
            ...process.env,
            PGHOST: postgres.host,
            PGPORT: String(postgres.port),
            PGUSER: postgres.superuser.username,
            PGPASSWORD: postgres.superuser.password,
          },
        });
        expect((await direct.query('select count(*)::int as rows from copied')).rows).toEqual([{ rows: 3 }]);
      },
    );

    it('COPY in binary form leaves a table without secrets byte by byte', async () => {
      const rows = `select g, 'row ' || g, now()::date, array[g, g + 1], jsonb_build_object('n', g), null::text from generate_series(1, 500) g`;
      const shown = await psql(`copy (${rows}) to stdout (format binary)`);
      const { postgres, database } = agent;
      const straight = await run(
        'psql',
        ['-X', '-q', '-d', database, '-c', `copy (${rows}) to stdout (format binary)`],
        {
          encoding: 'buffer',
          env: {
            ...process.env,
            PGHOST: postgres.host,
            PGPORT: String(postgres.port),
            PGUSER: postgres.superuser.username,
            PGPASSWORD: postgres.superuser.password,
          },
        },
      );
      expect(shown.equals(straight.stdout)).toBe(true);
    });

    it('cursors, notices, errors, notifications and EXPLAIN in four formats hold no secret', async () => {
      const seen: string[] = [];
      through.on('notice', (notice) => seen.push(JSON.stringify(notice)));
      through.on('notification', (news) => seen.push(JSON.stringify(news)));
      const payload = JSON.stringify({ mail: MAIL, scan: `\\x${hex(MAIL)}` }).replace('@', '\\u0040');
      await through.query(`listen news; notify news, ${quote(payload)}`);
      await through.query(`begin; declare c cursor for select ${everything}`);
      seen.push(JSON.stringify((await through.query('fetch all from c')).rows));
      await through.query('commit');
      await through.query(
        `do $$ begin raise notice 'to %', ${quote(`{"m": "\\\\x${hex(MAIL)}"}`)} using hint = ${quote(MAIL)}, detail = ${quote(CARD)}; end $$`,
      );
      for (const broken of [
        `select ${quote(MAIL)}::int`,
        `create table unique_mail (mail text primary key, scan bytea); insert into unique_mail values (${quote(MAIL)}, ${quote(MAIL)}), (${quote(MAIL)}, null)`,
        `create table checked (scan bytea check (scan is null)); insert into checked values ('\\x${hex(MAIL)}')`,
        `do $$ begin perform ${quote(MAIL)}::text::int; end $$`,
        `do $$ begin execute 'select ' || quote_literal(${quote(MAIL)}) || '::int'; end $$`,
      ])
        await through.query(broken).then(
          () => expect.unreachable(),
          (error: unknown) => seen.push(JSON.stringify(error, Object.getOwnPropertyNames(error))),
        );
      for (const format of ['text', 'json', 'xml', 'yaml'])
        seen.push(
          JSON.stringify(
            (
              await through.query(
                `explain (format ${format}, verbose) select * from customers where email = ${quote(MAIL)} and notes @> ${quote(`{"a": "${CARD}"}`)} and name = any (array[${quote(MAIL)}])`,
              )
            ).rows,
          ),
        );
      expect(seen.length).toBeGreaterThanOrEqual(12);
      hidesAll(Buffer.from(seen.join('\n')));
      hidesAll(Buffer.from(seen.join('\n').replaceAll('\\\\', '\\')));
    });

    it('large objects are masked by lo_get, loread and the function call message', async () => {
      const made = await direct.query<{ oid: number }>(
        `select lo_from_bytea(0, convert_to(${quote(`to ${MAIL}, bye`)}, 'UTF8')) as oid`,
      );
      const oid = made.rows[0]?.oid ?? 0;
      await direct.query(`grant select on large object ${String(oid)} to hoop_app`);
      hidesAll(await value(`lo_get(${String(oid)})`, false));
      hidesAll(await value(`lo_get(${String(oid)})`, true));
      session.send(query(`begin; select loread(lo_open(${String(oid)}, 262144), 100)`));
      const read = await session.until('Z');
      hidesAll(Buffer.concat(read.map(({ body }) => body)));
      const call = (fn: number, ...values: Buffer[]): Buffer =>
        message(
          'F',
          Buffer.concat([
            i32(fn),
            u16(1),
            u16(1),
            u16(values.length),
            ...values.flatMap((one) => [i32(one.length), one]),
            u16(1),
          ]),
        );
      session.send(call(952, i32(oid), i32(262144)));
      const opened = (await session.until('Z')).find(({ type }) => type === 'V');
      session.send(call(954, (opened?.body ?? Buffer.alloc(8)).subarray(4), i32(100)));
      const answers = await session.until('Z');
      const called = answers.find(({ type }) => type === 'V')?.body ?? Buffer.alloc(0);
      expect(called.readInt32BE(0)).toBeLessThanOrEqual(`to ${MAIL}, bye`.length);
      expect(called.toString('latin1')).toMatch(/^[\s\S]{4}to .*, bye$/);
      hidesAll(called);
      session.send(query('rollback'));
      await session.until('Z');
    });
  },
);
