import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.*;
import org.postgresql.util.*;

/** What a program that uses JDBC sees: java Transcript.java EXPRESSIONS, with libpq's variables. */
public class Transcript {
  static PrintStream out;

  static void section(String name) {
    out.println("== " + name);
  }

  static String sha(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  static void fault(SQLException error) {
    for (SQLException each = error; each != null; each = each.getNextException()) {
      out.println(each.getClass().getName() + " " + each.getSQLState() + " " + each.getMessage());
      if (each instanceof PSQLException p && p.getServerErrorMessage() != null) {
        ServerErrorMessage m = p.getServerErrorMessage();
        out.println(String.join("|", String.valueOf(m), m.getDetail() + "", m.getHint() + "", m.getPosition() + "", m.getWhere() + "",
            m.getSchema() + "", m.getTable() + "", m.getColumn() + "", m.getConstraint() + "", m.getFile() + "", m.getLine() + "", m.getRoutine() + ""));
      }
      if (each instanceof BatchUpdateException batch) out.println(Arrays.toString(batch.getUpdateCounts()));
    }
  }

  static void rows(ResultSet set) throws SQLException {
    ResultSetMetaData meta = set.getMetaData();
    for (int i = 1; i <= meta.getColumnCount(); i++)
      out.println("  " + meta.getColumnLabel(i) + " " + meta.getColumnTypeName(i) + " " + meta.getColumnType(i) + " " + meta.getPrecision(i) + " " + meta.getScale(i) + " " + meta.isNullable(i) + " " + meta.getTableName(i));
    while (set.next()) {
      StringBuilder line = new StringBuilder(" ");
      for (int i = 1; i <= meta.getColumnCount(); i++) line.append(" ").append(set.getObject(i) instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : set.getString(i));
      out.println(line);
    }
  }

  interface Work {
    void run() throws Exception;
  }

  static void trying(Work work) throws Exception {
    try {
      work.run();
    } catch (SQLException error) {
      fault(error);
    }
  }

  static void all(Statement statement, boolean isRows) throws SQLException {
    while (true) {
      if (isRows) rows(statement.getResultSet());
      else if (statement.getUpdateCount() == -1) break;
      else out.println("  count " + statement.getUpdateCount());
      isRows = statement.getMoreResults();
    }
    for (SQLWarning w = statement.getWarnings(); w != null; w = w.getNextWarning()) out.println("  warning " + w.getSQLState() + " " + w.getMessage());
  }

  static Connection open(Map<String, String> more) throws SQLException {
    Map<String, String> env = System.getenv();
    Properties properties = new Properties();
    properties.put("user", env.get("PGUSER"));
    properties.put("password", env.get("PGPASSWORD"));
    properties.putAll(more);
    return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + env.get("PGPORT") + "/" + env.get("PGDATABASE"), properties);
  }

  public static void main(String[] args) throws Exception {
    out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
    String expressions = Files.readString(Path.of(args[0]));
    for (String mode : List.of("extended", "simple", "extendedForPrepared", "extendedCacheEverything")) {
      try (Connection db = open(Map.of("preferQueryMode", mode, "prepareThreshold", "2", "ApplicationName", "conformance"))) {
        session(db, mode, expressions);
      }
    }
    for (Map<String, String> more : List.of(Map.of("options", "-c nosuch=1"), Map.of("PGDBNAME", "nowhere"), Map.of("options", "-c search_path=pg_catalog -c geqo=off"), Map.of("gssEncMode", "prefer", "sslmode", "allow"), Map.of("sslmode", "prefer"), Map.of("binaryTransfer", "false"), Map.of("assumeMinServerVersion", "9.4"), Map.of("readOnly", "true", "readOnlyMode", "always"))) {
      section("connection " + more);
      trying(() -> {
        try (Connection db = open(more); Statement s = db.createStatement()) {
          all(s, s.execute("select current_setting('search_path'), current_setting('geqo'), current_database()"));
        }
      });
    }
  }

  static void session(Connection db, String mode, String expressions) throws Exception {
    PGConnection pg = db.unwrap(PGConnection.class);
    section(mode + " parameters");
    out.println(new TreeMap<>(pg.getParameterStatuses()));
    for (String expression : expressions.strip().split("\n(?=\\S)")) {
      section(mode + " type " + expression.replaceAll("\\s+", " "));
      // Often enough that the driver prepares it by name and asks for binary.
      try (PreparedStatement s = db.prepareStatement("select " + expression.replace("?", "??") + " as value")) {
        for (int run = 0; run < 4; run++) trying(() -> rows(s.executeQuery()));
      }
    }
    section(mode + " parameters of statements");
    try (PreparedStatement s = db.prepareStatement("select ?::int a, ?::text b, ?::bytea c, ?::timestamptz d, ?::int[] e")) {
      for (int run = 0; run < 4; run++) {
        s.setInt(1, run);
        s.setString(2, run == 1 ? null : "ü" + run);
        s.setBytes(3, new byte[] {0, (byte) run, -1});
        s.setTimestamp(4, new Timestamp(0));
        s.setArray(5, db.createArrayOf("int4", new Integer[] {1, null, run}));
        trying(() -> rows(s.executeQuery()));
      }
    }
    try (Statement s = db.createStatement()) {
      section(mode + " several statements");
      s.execute("drop table if exists t; create table t (id serial primary key, a int unique, b text check (b <> 'no'))");
      trying(() -> all(s, s.execute("insert into t (a) values (1), (2); select a from t order by a; update t set b = 'x' where a = 1; select 1/0; select 3")));
      trying(() -> all(s, s.execute("do $$ begin raise notice 'n'; raise warning 'w'; end $$; select 1")));
      section(mode + " errors");
      for (String text : List.of("selec", "select * from nowhere", "insert into t (a) values (1)", "insert into t (b) values ('no')", "select 'x'::int", "select 1/0", "create table t (a int)", ""))
        trying(() -> all(s, s.execute(text)));
      section(mode + " generated keys and batches");
      trying(() -> {
        s.executeUpdate("insert into t (a) values (10), (11)", Statement.RETURN_GENERATED_KEYS);
        rows(s.getGeneratedKeys());
      });
      s.addBatch("insert into t (a) values (20)");
      s.addBatch("update t set b = 'y' where a >= 10");
      s.addBatch("insert into t (a) values (20)");
      s.addBatch("insert into t (a) values (21)");
      trying(() -> out.println(Arrays.toString(s.executeBatch())));
    }
    try (PreparedStatement s = db.prepareStatement("insert into t (a, b) values (?, ?)")) {
      for (int n = 100; n < 700; n++) {
        s.setInt(1, n);
        s.setString(2, "b".repeat(n % 50));
        s.addBatch();
      }
      trying(() -> out.println(Arrays.stream(s.executeBatch()).sum()));
    }
    section(mode + " fetch size");
    db.setAutoCommit(false);
    try (PreparedStatement s = db.prepareStatement("select a, b from t where a >= 100 order by a")) {
      s.setFetchSize(64);
      for (int run = 0; run < 3; run++) {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        int count = 0;
        ResultSet set = s.executeQuery();
        while (set.next() && !(run == 2 && count == 100)) {
          count++;
          digest.update(set.getString(2).getBytes());
        }
        set.close();
        out.println(count + " " + HexFormat.of().formatHex(digest.digest()));
      }
      s.setMaxRows(5);
      trying(() -> rows(s.executeQuery()));
    }
    section(mode + " savepoints");
    Savepoint savepoint = db.setSavepoint("here");
    try (Statement s = db.createStatement()) {
      trying(() -> s.execute("select 1/0"));
      trying(() -> s.execute("select 1"));
      db.rollback(savepoint);
      trying(() -> all(s, s.execute("select count(*) from t")));
    }
    section(mode + " large objects");
    LargeObjectManager objects = pg.getLargeObjectAPI();
    long oid = objects.createLO();
    try (LargeObject object = objects.open(oid)) {
      object.write("0123456789".repeat(50000).getBytes());
      object.seek(7);
      out.println(new String(object.read(5)) + " " + object.tell64() + " " + object.size64());
    }
    objects.delete(oid);
    db.commit();
    db.setAutoCommit(true);
    {
      section(mode + " copy");
      CopyManager copies = pg.getCopyAPI();
      try (Statement s = db.createStatement()) {
        s.execute("drop table if exists copied; create table copied (a int, b text)");
      }
      for (String[] each : new String[][] {{"", "1\tx\n2\t\\N\n"}, {"csv", "3,\"q\"\"\"\n"}, {"", "x\ty\n"}})
        trying(() -> out.println(copies.copyIn("copy copied from stdin " + each[0], new StringReader(each[1]))));
      for (String format : List.of("", "csv header", "(format binary)")) {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        out.println(copies.copyOut("copy copied to stdout " + format, data) + " " + HexFormat.of().formatHex(data.toByteArray()));
        if (format.contains("binary")) out.println(copies.copyIn("copy copied from stdin (format binary)", new ByteArrayInputStream(data.toByteArray())));
      }
    }
    section(mode + " notifications");
    try (Statement s = db.createStatement()) {
      s.execute("listen news");
      s.execute("notify news, 'hello'");
      s.execute("select 1");
      for (var note : Objects.requireNonNullElse(pg.getNotifications(), new org.postgresql.PGNotification[0])) out.println(note.getName() + " " + note.getParameter());
      s.execute("unlisten *");
      section(mode + " cancel and time-out");
      Timer timer = new Timer(true);
      timer.schedule(new TimerTask() {
        public void run() {
          try {
            s.cancel();
          } catch (SQLException error) {
            fault(error);
          }
        }
      }, 300);
      trying(() -> s.execute("select pg_sleep(60)"));
      s.setQueryTimeout(1);
      trying(() -> s.execute("select pg_sleep(60)"));
      s.setQueryTimeout(0);
      trying(() -> all(s, s.execute("select 'still'")));
      section(mode + " metadata");
      DatabaseMetaData meta = db.getMetaData();
      rows(meta.getTables(null, "public", "%", null));
      rows(meta.getColumns(null, "public", "t", "%"));
      rows(meta.getPrimaryKeys(null, "public", "t"));
      rows(meta.getIndexInfo(null, "public", "t", false, false));
      rows(meta.getTypeInfo());
      section(mode + " updatable result");
      s.execute("insert into t (a) values (1), (2) on conflict do nothing");
      try (Statement u = db.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
        ResultSet set = u.executeQuery("select id, a, b from t where a < 3 order by a");
        set.absolute(2);
        set.updateString("b", "changed");
        set.updateRow();
        set.moveToInsertRow();
        set.updateInt("a", 900);
        set.insertRow();
        rows(u.executeQuery("select a, b from t where a in (1, 2, 900) order by a"));
      }
    }
    section(mode + " functions");
    try (CallableStatement call = db.prepareCall("{? = call upper(?)}")) {
      call.registerOutParameter(1, Types.VARCHAR);
      call.setString(2, "abc");
      trying(() -> {
        call.execute();
        out.println(call.getString(1));
      });
    }
    section(mode + " large");
    byte[] large = "abcdefghij".repeat(300000).getBytes(StandardCharsets.UTF_8);
    try (PreparedStatement s = db.prepareStatement("select ?::text, ?::bytea")) {
      for (int run = 0; run < 3; run++) {
        s.setString(1, new String(large));
        s.setBytes(2, large);
        ResultSet set = s.executeQuery();
        set.next();
        out.println(sha(set.getString(1).getBytes()) + " " + sha(set.getBytes(2)));
      }
    }
  }
}
