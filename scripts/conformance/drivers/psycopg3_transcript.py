"""What a program that uses psycopg (3) sees: python3 psycopg3_transcript.py EXPRESSIONS"""
import hashlib, re, sys, threading
import psycopg
from psycopg import pq

def section(name): print("==", name)
def sha(value): return hashlib.sha256(bytes(value)).hexdigest()
def fault(error):
    diag = getattr(error, "diag", None)
    names = [n for n in dir(diag) if not n.startswith("_")]
    print(type(error).__name__, repr(str(error)), {n: getattr(diag, n) for n in names if getattr(diag, n, None)})
def cells(cursor):
    result = cursor.pgresult
    return [[result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples)]
def run(cursor, text, params=None, **options):
    try:
        cursor.execute(text, params, **options)
        more = True
        while more:
            r = cursor.pgresult
            print(cursor.statusmessage, cursor.rowcount, [(r.fname(i), r.ftable(i), r.ftablecol(i), r.fformat(i), r.ftype(i), r.fmod(i), r.fsize(i)) for i in range(r.nfields)], cells(cursor))
            more = cursor.nextset()
    except psycopg.Error as error:
        fault(error)

db = psycopg.connect("", autocommit=True, options="-c search_path=public,pg_catalog")
section("parameters")
print(db.info.server_version, db.info.encoding, db.info.transaction_status, db.info.status, [(n, db.info.parameter_status(n)) for n in "server_version DateStyle TimeZone is_superuser application_name in_hot_standby".split()])
for expression in re.split(r"\n(?=\S)", open(sys.argv[1], encoding="utf8").read().strip("\n")):
    section("type " + " ".join(expression.split()))
    for binary in (False, True):
        run(db.cursor(binary=binary), "select " + expression.replace("%", "%%") + " as value")
        run(db.cursor(binary=binary), "select " + expression.replace("%", "%%") + " as value", (), prepare=True)
section("parameters of statements")
cur = db.cursor()
run(cur, "select %s::int, %s::text, %b::bytea, %b::int8[]", (1, "ü", b"\0\xff", [1, 2**40]))
run(cur, "select %s::date", ("nodate",))
section("prepared")
for run_number in range(8): run(cur, "select %s::int + 1", (run_number,))
run(cur, "select name, statement, from_sql, generic_plans + custom_plans from pg_prepared_statements")
section("server cursor")
with db.transaction():
    with db.cursor("mine", scrollable=True) as named:
        named.execute("select g, g::text from generate_series(1, 45) g"); print(named.fetchmany(4)); named.scroll(-2); print(named.fetchone(), len(named.fetchall()))
with db.cursor("held", withhold=True) as named: named.execute("select 1"); print(named.fetchall())
section("pipeline")
with db.pipeline():
    first = db.execute("select %s::int", (1,)); db.execute("create temp table t (a int)"); cur.executemany("insert into t values (%s) returning a", [(n,) for n in range(50)], returning=True); last = db.execute("select count(*) from t")
    print(first.fetchall(), last.fetchall())
try:
    with db.pipeline() as pipe:
        db.execute("select 1"); db.execute("select 1/0"); db.execute("select 2"); pipe.sync(); print(db.execute("select 3").fetchall())
except psycopg.Error as error: fault(error)
print(db.info.transaction_status); run(cur, "select 'after'")
section("stream")
print([row for row in cur.stream("select g from generate_series(1, 6) g")])
section("copy")
cur.execute("create table copied (a int, b text, c timestamptz)")
with cur.copy("copy copied from stdin") as copy:
    for row in [(1, "x\ty", None), (2, None, "2026-01-01")]: copy.write_row(row)
print(cur.rowcount)
with cur.copy("copy copied from stdin (format binary)") as copy:
    copy.set_types(["int4", "text", "timestamptz"])
    import datetime
    for n in range(1000): copy.write_row((n, "b" * n, datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)))
print(cur.rowcount)
for options in ["", "(format csv, header, force_quote *)", "(format binary)"]:
    with cur.copy(f"copy copied to stdout {options}") as copy:
        data = b"".join(bytes(block) for block in copy); print(len(data), sha(data), data[:60])
with cur.copy("copy copied to stdout") as copy: print(len(list(copy.rows())))
try:
    with cur.copy("copy copied from stdin") as copy: copy.write(b"x\ty\tz\n")
except psycopg.Error as error: fault(error)
try:
    with cur.copy("copy copied from stdin") as copy:
        copy.write(b"7\tx\t\\N\n")
        raise ValueError("enough")
except (ValueError, psycopg.Error) as error: fault(error)
run(cur, "copy copied to stdout")
section("notices and notifications")
db.add_notice_handler(lambda diag: print(diag.severity, diag.sqlstate, diag.message_primary, diag.context, diag.source_function))
run(cur, "do $$ begin raise notice 'n %', repeat('x', 20); raise warning using message = 'w', errcode = '01ABC'; end $$")
db.execute("listen news"); db.execute("notify news, 'hello'"); gen = db.notifies(); note = next(gen); print(note.channel, note.payload); gen.close()
section("cancel")
threading.Timer(0.3, db.cancel).start(); run(cur, "select pg_sleep(60)"); run(cur, "select 1 as still")
section("two phases")
run(cur, "begin"); run(cur, "prepare transaction 'x'"); run(cur, "rollback")
section("function call message and raw libpq")
raw = db.pgconn
for text in [b"select 1; select 2", b"", b"select 1/0"]:
    r = raw.exec_(text); print(r.status, r.command_status, r.error_message)
r = raw.prepare(b"d", b"select $1::int a, $2::text b"); r = raw.describe_prepared(b"d"); print(r.nparams, [r.param_type(i) for i in range(r.nparams)], r.nfields)
r = raw.exec_prepared(b"d", [b"1", None], [0, 0], 1); print(r.get_value(0, 0), r.get_value(0, 1))
r = raw.exec_params(b"declare c cursor with hold for select generate_series(1, 3)", []); print(r.status); r = raw.describe_portal(b"c"); print(r.nfields, r.ftype(0))
section("large")
long = "abcdefghij" * 500000
for binary in (False, True):
    row = db.cursor(binary=binary).execute("select %s::text, %b::bytea", (long, long.encode())).fetchone(); print(sha(row[0].encode()), sha(row[1]))
db.close()
