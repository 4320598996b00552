"""What a program that uses psycopg2 sees: python3 psycopg2_transcript.py EXPRESSIONS"""
import hashlib, io, re, select, sys, threading, time
import psycopg2, psycopg2.extras, psycopg2.extensions

def section(name): print("==", name)
def sha(value): return hashlib.sha256(value).hexdigest()
FIELDS = [name for name in dir(psycopg2.extensions.Diagnostics) if not name.startswith("_")]
def fault(error):
    diag = getattr(error, "diag", None)
    print(type(error).__name__, repr(str(error)), {name: getattr(diag, name) for name in FIELDS if getattr(diag, name, None)})
def run(cursor, text, params=None):
    try:
        cursor.execute(text, params)
        print(cursor.statusmessage, cursor.rowcount, [tuple(d) for d in cursor.description or []])
        if cursor.description: print(cursor.fetchall())
    except psycopg2.Error as error:
        fault(error)

# As the server spells it.
psycopg2.extensions.register_type(psycopg2.extensions.new_type(tuple(range(1, 16384)), "RAW", lambda value, cur: value))
db = psycopg2.connect("", options="-c DateStyle=ISO,DMY -c statement_timeout=60s", application_name="conformance")
db.autocommit = True
cur = db.cursor()
section("parameters")
print(db.server_version, db.protocol_version, db.encoding, db.get_transaction_status(), db.info.dsn_parameters.get("dbname"), db.info.used_password and "" or "")
for name in "server_version server_encoding client_encoding application_name is_superuser session_authorization DateStyle IntervalStyle TimeZone integer_datetimes standard_conforming_strings default_transaction_read_only in_hot_standby".split():
    print(name, db.get_parameter_status(name))
run(cur, "show datestyle")
for expression in re.split(r"\n(?=\S)", open(sys.argv[1], encoding="utf8").read().strip("\n")):
    section("type " + " ".join(expression.split()))
    run(cur, "select " + expression.replace("%", "%%") + " as value")
section("errors")
cur.execute("create table faults (id int primary key, positive int constraint above check (positive > 0), word varchar(2) not null)")
for text in ["selec", "select 'x'::int", "insert into faults values (1, 0, 'a')", "insert into faults values (1, 1, null)", "insert into faults values (1, 1, 'a'), (1, 1, 'a')", "select 1/0", "select 1; select 1/0; select 2", "select é from faults"]:
    run(cur, text)
section("transactions")
db.autocommit = False
run(cur, "insert into faults values (5, 5, 'b')"); print(db.get_transaction_status())
run(cur, "select 1/0"); print(db.get_transaction_status())
run(cur, "select 1"); db.rollback(); print(db.get_transaction_status())
section("named cursor")
with db.cursor("mine", scrollable=True) as named:
    named.itersize = 10
    named.execute("select g from generate_series(1, 45) g")
    print(sum(1 for _ in named)); named.scroll(0, mode="absolute"); print(named.fetchmany(3), named.fetchone())
with db.cursor("held", withhold=True) as named:
    named.execute("select g from generate_series(1, 5) g"); db.commit(); print(named.fetchall())
db.commit()
section("copy")
cur.execute("create table copied (a int, b text, c bytea)")
for options, data in [("", "1\tx\\ty\t\\\\x00\n2\t\\N\t\\N\n"), ("csv header", "a,b,c\n3,\"q\"\"x\n\",\\x01\n"), ("delimiter '|' null 'none'", "4|none|none\n")]:
    cur.copy_expert(f"copy copied from stdin {options}", io.StringIO(data)); print(cur.rowcount, cur.statusmessage)
for options in ["", "csv header", "csv force quote *", "(format binary)"]:
    out = io.BytesIO(); cur.copy_expert(f"copy copied to stdout {options}", out); print(out.getvalue())
binary = out.getvalue(); db.commit()
cur.copy_expert("copy copied from stdin (format binary)", io.BytesIO(binary)); print(cur.rowcount); db.commit()
for options, data in [("", "x\ty\tz\n"), ("csv", "1,2\n"), ("(format binary)", "not binary")]:
    try: cur.copy_expert(f"copy copied from stdin {options}", io.StringIO(data))
    except psycopg2.Error as error: fault(error); db.rollback()
class Breaks(io.StringIO):
    def read(self, size=-1): raise ValueError("no more")
try: cur.copy_expert("copy copied from stdin", Breaks())
except psycopg2.Error as error: fault(error); db.rollback()
out = io.BytesIO(); cur.copy_expert("copy (select g, repeat('z', 1000) from generate_series(1, 20000) g) to stdout", out); print(sha(out.getvalue()))
section("large objects")
big = db.lobject(0, "wb", 424242); print(big.write(b"0123456789" * 100000)); big.seek(5); print(big.tell()); big.truncate(500000); big.close()
big = db.lobject(424242, "rb"); data = big.read(); print(len(data), sha(data)); big.seek(-3, 2); print(big.read()); big.close(); big.unlink() if False else db.lobject(424242, "n").unlink()
try: db.lobject(424242, "rb")
except psycopg2.Error as error: fault(error)
db.rollback()
section("notices and notifications")
db.autocommit = True
run(cur, "do $$ begin raise notice 'n'; raise warning 'w'; end $$"); print(db.notices)
cur.execute("listen news"); cur.execute("notify news, 'hello'"); db.poll(); print([(n.channel, n.payload) for n in db.notifies])
section("cancel")
threading.Timer(0.3, db.cancel).start(); run(cur, "select pg_sleep(60)"); run(cur, "select 1 as still")
section("prepared by SQL")
for text in ["prepare p(int) as select $1 * 2", "execute p(4)", "select name, statement, parameter_types from pg_prepared_statements", "deallocate p", "execute p(4)"]: run(cur, text)
section("large")
long = "abcdefghij" * 500000
cur.execute("select %s, %s::bytea", (long, psycopg2.Binary(long.encode()))); row = cur.fetchone(); print(sha(row[0].encode()), sha(row[1].encode()))
section("encodings")
for encoding in ["LATIN1", "WIN1252", "UTF8"]:
    db.set_client_encoding(encoding); run(cur, "select chr(233) as c"); print(db.encoding)
section("disconnects")
other = psycopg2.connect(""); pid = other.info.backend_pid
run(cur, f"select pg_terminate_backend({pid})"); time.sleep(0.2)
run(other.cursor(), "select 1"); print(other.closed)
for dsn in ["dbname=nowhere", "options=-cnosuch=1"]:
    try: psycopg2.connect(dsn)
    except psycopg2.Error as error: print(re.sub(r"port \d+", "port N", str(error)))
db.close()
