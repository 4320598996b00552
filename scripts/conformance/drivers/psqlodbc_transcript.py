"""What a program that uses psqlODBC sees: python3 psqlodbc_transcript.py EXPRESSIONS"""
import os, re, sys
import pyodbc

def section(name): print("==", name)
def connect(options=""):
    at = f"Server={os.environ['PGHOST']};Port={os.environ['PGPORT']};Database={os.environ['PGDATABASE']}"
    who = f"Uid={os.environ['PGUSER']};Pwd={os.environ['PGPASSWORD']}"
    return pyodbc.connect(f"Driver={{PostgreSQL Unicode}};{at};{who};{options}", autocommit=False)
def show(cursor):
    print(cursor.rowcount, [(column[0], column[1].__name__, *column[3:]) for column in cursor.description or []])
    if cursor.description:
        for row in cursor.fetchall(): print(tuple(row))
def run(cursor, text, *params):
    try: show(cursor.execute(text, *params))
    # pyodbc knows no NaN among numerics, and fails in its own words.
    except (pyodbc.Error, ArithmeticError, ValueError) as error:
        print(type(error).__name__, error.args)
        cursor.connection.rollback()

db = connect()
cur = db.cursor()
section("parameters")
print([db.getinfo(what) for what in (pyodbc.SQL_DBMS_NAME, pyodbc.SQL_DBMS_VER, pyodbc.SQL_DRIVER_ODBC_VER, pyodbc.SQL_DATABASE_NAME)])
for expression in re.split(r"\n(?=\S)", open(sys.argv[1], encoding="utf8").read().strip("\n")):
    section("type " + " ".join(expression.split()))
    run(cur, "select " + expression + " as value")
section("tables")
cur.execute("create table kept (id serial primary key, positive int constraint above check (positive > 0), word varchar(20) not null unique, at timestamptz, raw bytea)")
cur.execute("create table parts (kept int not null references kept on delete cascade, n int, primary key (kept, n))")
cur.execute("create function twice(i int) returns int language sql as 'select 2 * i'")
db.commit()
section("catalogue")
for listing in [cur.tables(schema="public"), cur.columns(table="kept"), cur.primaryKeys("parts"), cur.foreignKeys(table="kept"), cur.foreignKeys(foreignTable="parts"), cur.statistics("kept"), cur.rowIdColumns("kept"), cur.rowVerColumns("kept"), cur.procedures(schema="public"), cur.procedureColumns(procedure="twice"), cur.getTypeInfo()]:
    show(listing)
db.close()
for options in ["", "UseServerSidePrepare=0", "UseDeclareFetch=1;Fetch=7", "UseDeclareFetch=1;UpdatableCursors=1;Fetch=2", "Protocol=7.4-0", "Protocol=7.4-1", "Parse=1", "BoolsAsChar=0;RowVersioning=1;ShowOidColumn=1;ByteaAsLongVarBinary=1", "ConnSettings=set datestyle to iso%3bset application_name to x"]:
    section("options " + options)
    db = connect(options)
    cur = db.cursor()
    for word in ["one", "two", "three"]: run(cur, "insert into kept (positive, word, at, raw) values (?, ?, '2026-01-02 03:04:05+00', ?)", 1, word, b"\0\xff")
    cur.executemany("insert into kept (positive, word) values (?, ?)", [(number, f"word {number}") for number in range(1, 21)])
    for fast in (False, True):
        cur.fast_executemany = fast
        cur.executemany("insert into parts values ((select min(id) from kept), ?)", [(number,) for number in range(10 * fast, 10 * fast + 10)])
    cur.fast_executemany = False
    run(cur, "select positive, word, at, raw from kept order by id")
    for number in (1, 5, 20): run(cur, "select word from kept where positive = ? and word like ?", number, "word%")
    run(cur, "update kept set positive = positive + 1 where word = ?", "one")
    run(cur, "insert into kept (positive, word) values (0, 'x')")
    run(cur, "insert into kept (positive, word) values (1, 'a'), (1, 'a')")
    run(cur, "select nope from kept")
    run(cur, "select 1; select 2")
    run(cur, "{call twice(?)}", 21)
    run(cur, "select {fn ucase('x')}, {d '2026-01-01'}, {fn length('abc')}")
    db.autocommit = True
    run(cur, "select g, repeat('z', g) from generate_series(1, 25) g")
    run(cur, "delete from kept")
    db.close()
