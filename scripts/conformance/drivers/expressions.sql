true
null::bool
1::int2
-2147483648::int4
9223372036854775807::int8
1.5::float4
'NaN'::float8
'-Infinity'::float8
12345678901234567890.123456789::numeric
'NaN'::numeric
0.00::numeric(10,2)
'12.34'::money
'a'::"char"
'abc'::char(5)
'abc'::varchar
''::text
'ünï ☃ 𝄞'::text
E'tab\tand\nnewline'::text
'n'::name
'\x00ff10'::bytea
''::bytea
'2026-02-28'::date
'infinity'::date
'0044-03-15 BC'::date
'12:34:56.789'::time
'12:34:56+02'::timetz
'2026-02-28 12:34:56.789012'::timestamp
'2026-02-28 12:34:56.789012+00'::timestamptz
'-infinity'::timestamptz
'1 year 2 mons 3 days 04:05:06.789'::interval
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
'192.168.0.1/24'::cidr::inet
'10.0.0.0/8'::cidr
'08:00:2b:01:02:03'::macaddr
'08:00:2b:01:02:03:04:05'::macaddr8
'{"a": [1, 2, {"b": null}], "a": 2}'::json
'{"a": [1, 2, {"b": null}], "c": "☃"}'::jsonb
'$.a[*] ? (@ > 1)'::jsonpath
'<a b="c">d</a>'::xml
B'10101'::bit(5)
B'1'::varbit
point(1,2)
'[(0,0),(1,1)]'::lseg
'((0,0),(1,1))'::box
'((0,0),(1,1),(2,0))'::path
'((0,0),(1,1),(2,0))'::polygon
'<(1,2),3>'::circle
'{1,2,3}'::line
'a fat cat'::tsvector
'fat & cat'::tsquery
'{1,2,null}'::int4[]
'{{"a","b"},{"c,","d\""}}'::text[]
'[0:1]={1.5,2.5}'::float8[]
'{}'::text[]
array['\x00'::bytea, '\xff'::bytea]
'[1,5)'::int4range
'empty'::int8range
'[1.5,2.5]'::numrange
'[2026-01-01,2026-02-01)'::daterange
'(,)'::tstzrange
'{[1,3),[5,7)}'::int4multirange
row(1,'a',null)
row(row(1,2),array[row(3,'x')])
'pg_class'::regclass
'int4pl'::regproc
'0/16B3748'::pg_lsn
'10:20:10,15'::pg_snapshot
'(0,1)'::tid
null
'unknown'
