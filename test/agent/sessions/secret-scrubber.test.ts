import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { SecretScrubber } from '../../../src/agent/sessions/secret-scrubber.js';
import type { RecordedEvent } from '../../../src/core/events.js';
import { analyze, loadGrammar } from '../../../src/protocols/postgres/facts/analyze.js';
import { readPasswords, withoutPasswords } from '../../../src/protocols/postgres/statements/sql-passwords.js';

const S = 'hunter2secret';
const scrubber = (): SecretScrubber =>
  new SecretScrubber((input) => createHmac('sha256', 'key').update(input).digest());

/** Each is a statement that PostgreSQL takes. */
const STATEMENTS: readonly string[] = [
  `ALTER ROLE a PASSWORD '${S}'`,
  `ALTER ROLE a PASSWORD'${S}'`,
  `ALTER ROLE a PASSWORD /* c */ '${S}'`,
  `ALTER ROLE a PASSWORD /* /* c */ */ '${S}'`,
  `ALTER ROLE a PASSWORD -- c\n '${S}'`,
  `ALTER ROLE a PASSWORD E'${S}'`,
  `ALTER ROLE a PASSWORD e'\\'${S}'`,
  `ALTER ROLE a PASSWORD '${S}\\'`,
  `ALTER ROLE a PASSWORD 'x'\n'${S}'`,
  `ALTER ROLE a PASSWORD 'x' -- c\n '${S}'`,
  `ALTER ROLE a PASSWORD U&'${S}'`,
  `ALTER ROLE a PASSWORD U&'!0068${S}' UESCAPE '!'`,
  `ALTER ROLE a PASSWORD $x$${S}$x$`,
  `ALTER ROLE a PASSWORD $$${S}$$`,
  `ALTER ROLE a PASSWORD $é$${S}$é$`,
  `ALTER USER "PASSWORD" ENCRYPTED PASSWORD '${S}'''`,
  `CREATE USER a LOGIN PASSWORD '${S}' VALID UNTIL '2027-01-01'`,
  `SELECT 1; CREATE ROLE a PASSWORD '${S}'; SELECT 2`,
  `DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''${S}'''; END $$`,
  `DO $$ BEGIN EXECUTE format('ALTER ROLE a PASSWORD %L', '${S}'); END $$`,
  `DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ' || quote_literal('${S}'); END $$`,
  `DO $$ DECLARE p text := '${S}'; BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', 'a', p); END $$`,
  `DO $$ DECLARE password text := '${S}'; BEGIN NULL; END $$`,
  `DO 'BEGIN EXECUTE ''ALTER ROLE a PASSWORD ''''${S}''''''; END'`,
  `DO E'BEGIN EXECUTE \\'ALTER ROLE a PASSWORD \\'\\'${S}\\'\\'\\'; END'`,
  `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN EXECUTE $q$ALTER ROLE a PASSWORD '${S}'$q$; END $f$`,
  `CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'u', password '${S}')`,
  `CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'u', "password" '${S}')`,
  `ALTER USER MAPPING FOR x SERVER s OPTIONS (SET password '${S}')`,
  `CREATE SUBSCRIPTION x CONNECTION 'host=h password=${S}' PUBLICATION p`,
  `CREATE SUBSCRIPTION x CONNECTION 'host=h password=''a ${S}''' PUBLICATION p`,
  `CREATE SUBSCRIPTION x CONNECTION 'host=h password = ${S}' PUBLICATION p`,
  `SELECT dblink_connect('host=h user=u password=${S} dbname=d')`,
  `SELECT dblink_connect('host=h password=' || '${S}')`,
  `SELECT dblink_connect(format('host=h password=%s', '${S}'))`,
  `SELECT dblink_connect('postgresql://u:${S}@h/db')`,
  `SELECT dblink_connect('postgresql://h/db?user=u&password=${S}')`,
  `SELECT * FROM dblink(E'host=h password=\\'${S}\\'', 'select 1') AS t(a int)`,
  `SELECT crypt('${S}', gen_salt('bf'))`,
  `SELECT public.pgp_sym_decrypt(x, '${S}') FROM t`,
  `SET my.password = '${S}'`,
  `SET SESSION "app.password" TO '${S}'`,
  `SELECT set_config('app.api_key', '${S}', false)`,
  `COPY t FROM PROGRAM 'curl -u bob:${S} http://x'`,
  `UPDATE users SET password = '${S}' WHERE name = 'bob'`,
  `SELECT 1 FROM users WHERE password IN ('x', '${S}')`,
  `SELECT f(password => '${S}')`,
  `INSERT INTO users (name, "password") VALUES ('bob', '${S}'), ('eve', lower('${S}'))`,
  `WITH x AS (INSERT INTO app.users (password, name) VALUES (E'${S}', 'bob') RETURNING id) SELECT * FROM x`,
];

/** Prompts, bodies, headers and command lines. */
const TEXTS: readonly string[] = [
  `{"password":"${S}"}`,
  `{"password":"a\\"${S}"}`,
  `{"password":["${S}"]}`,
  `{"arguments":"{\\"password\\":\\"${S}\\"}"}`,
  `{"arguments":"{\\"db_password\\": \\"a ${S}\\"}"}`,
  `{"db":{"pass":"${S}"}}`,
  `{"client_secret":"${S}"}`,
  `client_secret=${S}`,
  `/token?access_token=${S}&x=1`,
  `"refresh_token": "${S}"`,
  `api_key=${S}`,
  `X-Api-Key: ${S}`,
  `apiKey: "${S}"`,
  `Server=x;Uid=u;Pwd=${S};`,
  `Authorization: Basic ${S}`,
  `{"Authorization":["Basic ${S}"]}`,
  `{\\"Authorization\\":\\"Basic ${S}\\"}`,
  `curl -H 'Authorization: token ${S}'`,
  `Authorization: Digest username="u", response="${S}"`,
  `Cookie: sid=${S}`,
  `Set-Cookie: sid=${S}; Path=/`,
  `curl -u bob:${S} http://x`,
  `mysql -h db -p${S}`,
  `psql "host=h password='a ${S}'"`,
  `PGPASSWORD=${S} psql`,
  `export PGPASSWORD='${S}'`,
  `https://u:${S}@host/p`,
  `https://${S}0123456789@github.com/p`,
  `redis://:${S}@host`,
  `jdbc:postgresql://h/db?user=u&password=${S}`,
  `passphrase=${S}`,
  `--db-password ${S}`,
  `--password=${S}`,
  `password: |\n  ${S}\nnext: 1`,
  `AWS_SECRET_ACCESS_KEY=${S}/abcdEFGH`,
  `https://b.s3.amazonaws.com/x?X-Amz-Date=20261128T000000Z&X-Amz-Signature=${S}`,
  `please run: ALTER ROLE a PASSWORD '${S}'; don't tell`,
  `the user's words: alter role a password '${S}`,
];

/** What has nothing secret in it, and stays. */
const INNOCENT: readonly string[] = [
  `SELECT name FROM users WHERE name = 'password' AND id = 'x'`,
  `SELECT password, name AS "Name" FROM users WHERE id = 'x'`,
  `SELECT * FROM logs WHERE line LIKE '%password%' AND host = 'web-1'`,
  `UPDATE users SET password = $1 WHERE name = 'bob'`,
  `ALTER ROLE a PASSWORD NULL`,
  `ALTER ROLE a VALID UNTIL '2027-01-01'`,
  `CREATE TABLE users (name text, password text DEFAULT NULL)`,
  `INSERT INTO users (name, password, city) VALUES ('bob', NULL, 'Lisbon')`,
  `INSERT INTO users (name, password) SELECT name, $1 FROM staff WHERE city = 'Lisbon'`,
  `SELECT '2026-11-28'::date -- the password column is not read`,
  `it's what the user's password policy says, isn't it?`,
  `{"token": "Hello", "logprob": -0.1}`,
  `{"max_tokens": 1000000000000000000}`,
  `the secret: patience`,
  `a cookie: chocolate chip`,
];

describe('secrets in what is recorded', () => {
  beforeAll(() => loadGrammar());

  it.each(STATEMENTS)('of a statement are taken out, and it stays one: %s', (statement) => {
    const shown = scrubber().text(statement);
    expect(shown).not.toContain(S);
    expect(analyze(shown).opaqueReason ?? '').not.toMatch(/syntax/);
    expect(withoutPasswords(shown)).toBe(shown);
  });

  it.each(TEXTS)('of a text are taken out: %s', (text) => {
    expect(scrubber().text(text)).not.toContain(S);
  });

  it.each(INNOCENT)('are not seen where there are none: %s', (text) => {
    expect(scrubber().text(text)).toBe(text);
  });

  it.each([
    ['UPDATE users SET password = $1 WHERE name = $2', [1]],
    ['INSERT INTO users (name, password) VALUES ($1, $2), ($3, crypt($4, $5))', [2, 4, 5]],
    ["SELECT set_config('app.token', $1, $2)", [1]],
    ['SELECT * FROM users WHERE name = $1 AND password IN ($2, $3)', [2, 3]],
    ["SELECT dblink_connect('host=h password=' || $1), $2", [1, 2]],
    ['SELECT password FROM users WHERE id = $1', []],
  ])('are bound to the parameters where passwords stand: %s', (statement, secret) => {
    const { isSecret } = readPasswords(statement);
    expect([1, 2, 3, 4, 5].filter((number) => isSecret(number) && statement.includes(`$${String(number)}`))).toEqual(
      secret,
    );
  });

  it('leave JSON that is JSON', () => {
    const body = JSON.stringify({ password: S, more: JSON.stringify({ api_key: S, list: [1, { pass: S }] }), n: 1 });
    const shown = JSON.parse(scrubber().text(body)) as { password: string; more: string; n: number };
    expect(shown).toMatchObject({ password: '[redacted]', n: 1 });
    expect(JSON.parse(shown.more)).toEqual({ api_key: '[redacted]', list: [1, { pass: '[redacted]' }] });
  });

  it('are taken out of every member of an event that somebody else wrote', () => {
    const text = `password=${S}`;
    const events: readonly RecordedEvent[] = [
      { type: 'statement', statement: 1, text, via: 'simple', params: [text, null] },
      { type: 'request', statement: 1, method: 'GET', path: `/?${text}`, text, body: text, model: text },
      { type: 'result', statement: 1, error: { code: 'X', message: text } },
      { type: 'output', statement: 1, columns: ['a'], rows: [[text]], totalRows: 1 },
      { type: 'output', statement: 1, columns: ['rolpassword', text], rows: [[S, null]], totalRows: 1 },
      { type: 'output', statement: 1, body: text, bodyBytes: 1, text: [text] },
      { type: 'approval.resolved', statement: 1, request: 'r', outcome: 'denied', reason: text },
      { type: 'approval.reviewed', statement: 1, request: 'r', verdict: 'objected', by: 'b', reason: text },
      { type: 'grant.ended', statement: 1, request: 'r', grant: 'g', state: 'revoked', reason: text },
      { type: 'approval.preview', statement: 1, request: 'r', shown: 0, notes: [text], refused: text },
    ];
    for (const event of events) expect(JSON.stringify(scrubber().event(event))).not.toContain(S);
    const start = scrubber().start({
      type: 'session.start',
      session: 's',
      user: { subject: 'a', email: 'a', groups: [], issuer: 'i', machine: false, attributes: {} },
      connection: { name: 'c', type: 'postgres', labels: {} },
      credential: 'c',
      client: { application: text, database: 'd' },
      correlationId: text,
    });
    expect(JSON.stringify(start)).not.toContain(S);
    expect(start.client.database).toBe('d');
  });

  it('never make a text fail, whatever it is', () => {
    const pieces = fc.constantFrom(
      'password',
      "'",
      '"',
      '\\',
      '$',
      '$a$',
      '/*',
      '*/',
      '--',
      '\n',
      ' ',
      '=',
      '(',
      ')',
      'E',
      'role',
      ',',
      ';',
      'x',
      '%L',
      ':',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const shown = scrubber().text(parts.join(''));
        expect(scrubber().text(shown).length).toBeLessThanOrEqual(shown.length + 400);
      }),
      { numRuns: 500 },
    );
  });

  it('cost time in proportion to the text: what is repeated 10,000 times is read within seconds', () => {
    for (const piece of [
      'password=',
      "password='",
      '$a$password',
      "e'\\'",
      'authorization: ',
      'cookie:',
      'role password ',
    ])
      expect(typeof scrubber().text(`password ${piece.repeat(10_000)}`)).toBe('string');
    const tags = Array.from({ length: 10_000 }, (_, index) => `$a${String(index)}$ `).join('');
    expect(scrubber().text(`password ${tags}`)).toBe(`password ${tags}`);
  });
});
