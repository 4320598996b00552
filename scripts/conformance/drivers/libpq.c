/* What a program that uses libpq sees: libpq EXPRESSIONS; printed as hexadecimal where it is binary. */
#include <libpq-fe.h>
#include <libpq/libpq-fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INT4PL 177
#define LO_CREATE 715

static const char *fields = "SVCMDHPpqWsctdnFLR";

static void section(const char *name) { printf("== %s\n", name); }

static void bytes(const char *value, int length)
{
	for (int i = 0; i < length; i++)
		printf("%02x", (unsigned char) value[i]);
}

static void result(PGresult *res)
{
	printf("%s %s %s oid %u\n", PQresStatus(PQresultStatus(res)), PQcmdStatus(res), PQcmdTuples(res), PQoidValue(res));
	for (const char *field = fields; *field; field++)
		if (PQresultErrorField(res, *field))
			printf("  %c %s\n", *field, PQresultErrorField(res, *field));
	for (int param = 0; param < PQnparams(res); param++)
		printf("  param %u\n", PQparamtype(res, param));
	for (int column = 0; column < PQnfields(res); column++)
		printf("  %s table %u.%d type %u size %d mod %d format %d\n", PQfname(res, column), PQftable(res, column),
			PQftablecol(res, column), PQftype(res, column), PQfsize(res, column), PQfmod(res, column), PQfformat(res, column));
	for (int row = 0; row < PQntuples(res); row++)
	{
		for (int column = 0; column < PQnfields(res); column++)
		{
			printf(" ");
			if (PQgetisnull(res, row, column))
				printf("NULL");
			else
				bytes(PQgetvalue(res, row, column), PQgetlength(res, row, column));
		}
		printf("\n");
	}
	PQclear(res);
}

static void drain(PGconn *db)
{
	PGresult *res;
	while ((res = PQgetResult(db)) != NULL)
		result(res);
	printf("transaction %d\n", PQtransactionStatus(db));
}

static void notice(void *arg, const PGresult *res)
{
	printf("notice");
	for (const char *field = fields; *field; field++)
		if (PQresultErrorField(res, *field))
			printf(" %c=%s", *field, PQresultErrorField(res, *field));
	printf("\n");
}

static void *cancel_soon(void *arg)
{
	char error[256];
	usleep(300000);
	printf("cancel %d\n", PQcancel(arg, error, sizeof error));
	return NULL;
}

static void copy_in(PGconn *db, const char *text, const char *data, int length, const char *stop)
{
	result(PQexec(db, text));
	for (int at = 0; at < length; at += 7)
		PQputCopyData(db, data + at, length - at < 7 ? length - at : 7);
	PQputCopyEnd(db, stop);
	drain(db);
}

static void copy_out(PGconn *db, const char *text, char *keep, int *kept)
{
	char *row;
	int length;
	*kept = 0;
	result(PQexec(db, text));
	while ((length = PQgetCopyData(db, &row, 0)) > 0)
	{
		bytes(row, length);
		printf("\n");
		if (*kept + length < 1 << 16)
		{
			memcpy(keep + *kept, row, length);
			*kept += length;
		}
		PQfreemem(row);
	}
	drain(db);
}

static void expressions(PGconn *db, const char *file)
{
	char line[1024], text[1200], again[1300];
	FILE *in = fopen(file, "r");
	while (fgets(line, sizeof line, in))
	{
		line[strcspn(line, "\n")] = 0;
		printf("== type %s\n", line);
		snprintf(text, sizeof text, "select %s as value", line);
		result(PQexec(db, text));
		for (int format = 0; format < 2; format++)
			result(PQexecParams(db, text, 0, NULL, NULL, NULL, NULL, format));
		snprintf(again, sizeof again, "create temp table made as %s; table made; drop table made", text);
		PQsendQuery(db, again);
		drain(db);
	}
	fclose(in);
}

static void functions(PGconn *db)
{
	int answer = 0, length = 0, oid = 424242, wrong = 1;
	char buffer[64];
	PQArgBlock sum[2] = {{4, 1, {.integer = 40}}, {4, 1, {.integer = 2}}};
	PQArgBlock create = {4, 1, {.integer = oid}};
	section("function call message");
	result(PQfn(db, INT4PL, &answer, &length, 1, sum, 2));
	printf("%d %d\n", answer, length);
	result(PQfn(db, LO_CREATE, &answer, &length, 1, &create, 1));
	result(PQfn(db, LO_CREATE, &answer, &length, 1, &create, 1));
	result(PQfn(db, wrong, &answer, &length, 1, sum, 2));
	result(PQexec(db, "begin"));
	result(PQfn(db, wrong, &answer, &length, 1, sum, 2));
	result(PQfn(db, INT4PL, &answer, &length, 1, sum, 2));
	result(PQexec(db, "rollback"));
	section("large objects");
	result(PQexec(db, "begin"));
	int fd = lo_open(db, oid, INV_READ | INV_WRITE);
	printf("%d\n", fd);
	printf("%d\n", lo_write(db, fd, "0123456789", 10));
	printf("%d\n", lo_lseek(db, fd, 3, SEEK_SET));
	printf("%d %.4s\n", lo_read(db, fd, buffer, 4), buffer);
	printf("%ld\n", (long) lo_tell64(db, fd));
	printf("%d\n", lo_truncate(db, fd, 5));
	printf("%d\n", lo_close(db, fd));
	result(PQexec(db, "commit"));
	result(PQexec(db, "begin"));
	printf("%u\n", lo_import_with_oid(db, "/etc/hostname", 424243));
	printf("%d\n", lo_export(db, 424243, "/dev/null"));
	printf("%d\n", lo_unlink(db, 424243));
	printf("%d\n", lo_unlink(db, oid));
	printf("%d\n", lo_open(db, oid, INV_READ));
	printf("%s\n", PQerrorMessage(db));
	result(PQexec(db, "rollback"));
}

static void modes(PGconn *db)
{
	section("single rows");
	PQsendQuery(db, "select g from generate_series(1, 3) g; select 1/(g - 2) from generate_series(1, 3) g; select 4");
	PQsetSingleRowMode(db);
	drain(db);
	section("prepared and described");
	result(PQprepare(db, "p", "select $1 + 1 as a, $2::text as b", 0, NULL));
	result(PQdescribePrepared(db, "p"));
	const char *values[] = {"41", NULL};
	for (int format = 0; format < 2; format++)
		result(PQexecPrepared(db, "p", 2, values, NULL, NULL, format));
	result(PQprepare(db, "p", "select 1", 0, NULL));
	result(PQexecPrepared(db, "missing", 0, NULL, NULL, NULL, 0));
	result(PQexec(db, "begin; declare c cursor for select g, 'x' from generate_series(1, 3) g"));
	result(PQdescribePortal(db, "c"));
	result(PQexec(db, "fetch 2 from c; fetch all from c; close c; commit"));
	result(PQexec(db, "deallocate p"));
	result(PQexecPrepared(db, "p", 2, values, NULL, NULL, 0));
	result(PQexecParams(db, "select 1; select 2", 0, NULL, NULL, NULL, NULL, 0));
	result(PQexecParams(db, "", 0, NULL, NULL, NULL, NULL, 0));
	section("cancel");
	pthread_t other;
	PGcancel *key = PQgetCancel(db);
	pthread_create(&other, NULL, cancel_soon, key);
	result(PQexec(db, "select pg_sleep(60)"));
	pthread_join(other, NULL);
	PQfreeCancel(key);
	result(PQexec(db, "select 1"));
}

int main(int argc, char **argv)
{
	const char *names[] = {"server_version", "server_encoding", "client_encoding", "application_name", "is_superuser",
		"session_authorization", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes",
		"standard_conforming_strings", "default_transaction_read_only", "in_hot_standby"};
	char kept[1 << 16];
	int length;
	setvbuf(stdout, NULL, _IOLBF, 0);
	PGconn *db = PQconnectdb(argc > 2 ? argv[2] : "");
	if (PQstatus(db) != CONNECTION_OK)
		return printf("%s", PQerrorMessage(db)), 1;
	PQsetNoticeReceiver(db, notice, NULL);
	section("parameters");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s=%s\n", names[i], PQparameterStatus(db, names[i]));
	printf("%d %d\n", PQprotocolVersion(db), PQserverVersion(db));
	result(PQexec(db, "set application_name = 'changed'; set datestyle = 'SQL'; set timezone = 'Asia/Kathmandu'"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s=%s\n", names[i], PQparameterStatus(db, names[i]));
	expressions(db, argv[1]);
	functions(db);
	modes(db);
	section("copy");
	result(PQexec(db, "create table copied (a int, b text, c float8[])"));
	const char text[] = "1\tx\\ny\t{1,NULL}\n2\t\\N\t\\N\n\\.\n", csv[] = "3,\"a,\"\"b\"\"\nc\",\"{1.5}\"\n4,,\n";
	copy_in(db, "copy copied from stdin", text, sizeof text - 1, NULL);
	copy_in(db, "copy copied from stdin csv", csv, sizeof csv - 1, NULL);
	copy_in(db, "copy copied from stdin", text, 9, "the client gives up");
	copy_in(db, "copy copied from stdin", "x\ty\n1\tx\n", 8, NULL);
	copy_in(db, "copy copied from stdin (format binary)", "PGCOPY", 6, NULL);
	copy_out(db, "copy copied to stdout", kept, &length);
	copy_out(db, "copy copied to stdout (format csv, header, quote '''')", kept, &length);
	copy_out(db, "copy (select 1/(3 - a) from copied) to stdout", kept, &length);
	copy_out(db, "copy copied to stdout (format binary)", kept, &length);
	copy_in(db, "copy copied from stdin (format binary)", kept, length, NULL);
	result(PQexec(db, "select count(*) from copied"));
	copy_out(db, "copy copied to stdout; select 5", kept, &length);
	section("notices and notifications");
	result(PQexec(db, "do $$ begin raise notice 'a'; raise warning 'b' using detail = 'd', hint = 'h'; end $$"));
	result(PQexec(db, "listen c; notify c, 'payload'; notify c"));
	for (PGnotify *note; (note = PQnotifies(db)) != NULL; PQfreemem(note))
		printf("%s %s\n", note->relname, note->extra);
	section("reset and verbosity");
	PQsetErrorVerbosity(db, PQERRORS_VERBOSE);
	PGresult *res = PQexec(db, "select nope");
	printf("%s", PQresultErrorMessage(res));
	PQclear(res);
	PQreset(db);
	result(PQexec(db, "select count(*) from pg_prepared_statements"));
	PQfinish(db);
	return 0;
}
