import type { SqliteValue } from '@zerocloud/object-server/execute/container-listing/sqlite-pages';
import { SqliteTable } from '@zerocloud/object-server/execute/container-listing/sqlite-table';
import loadSqlite, { type Database, type SqlJsStatic } from 'sql.js';

let sqlite: SqlJsStatic;

beforeAll(async () => {
  sqlite = await loadSqlite();
});

/** The rows as SQLite itself reads them. */
async function write(rows: Iterable<SqliteValue[]>): Promise<Database> {
  const chunks: Buffer[] = [];
  let start: Buffer = Buffer.alloc(0);
  const sink = {
    append: (pages: Buffer) => void chunks.push(pages),
    writeStart: async (pages: Buffer) => {
      start = pages;
    },
  };
  const sql = 'CREATE TABLE object (ROWID INTEGER PRIMARY KEY, name TEXT, size INTEGER)';
  const table = new SqliteTable(sink, { name: 'object', sql });
  for (const row of rows) await table.add(row);
  const sizeBytes = await table.finish();
  const file = Buffer.concat([start, ...chunks]);
  expect(file.length).toBe(sizeBytes);
  const database = new sqlite.Database(file);
  expect(database.exec('PRAGMA integrity_check')[0]!.values).toEqual([['ok']]);
  return database;
}

const select = (database: Database, sql: string) => database.exec(sql)[0]?.values ?? [];

function* numbered(count: number): Generator<SqliteValue[]> {
  for (let index = 1; index <= count; index++) yield [null, `name-${String(index).padStart(9, '0')}`, index * 3];
}

test('a table without rows is a database', async () => {
  expect(select(await write([]), 'SELECT count(*) FROM object')).toEqual([[0]]);
});

test.each([1, 100, 200, 1000, 70_000, 150_000])('a table of %i rows is read whole and in order', async (count) => {
  const database = await write(numbered(count));
  const sums = [[count, (count * (count + 1) * 3) / 2, 1, count]];
  expect(select(database, 'SELECT count(*), sum(size), min(ROWID), max(ROWID) FROM object')).toEqual(sums);
  const last = `name-${String(count).padStart(9, '0')}`;
  expect(select(database, `SELECT name, size FROM object WHERE ROWID = ${count}`)).toEqual([[last, count * 3]]);
  expect(select(database, 'SELECT name FROM object ORDER BY name DESC LIMIT 1')).toEqual([[last]]);
});

test('values come back as they were', async () => {
  const values: SqliteValue[] = ['', 'plain', 'äöü 你好 🙂', '"\'\n\t', 0, 1, -1, 127, 2 ** 31, 2 ** 53 - 1, null];
  const database = await write(values.map((value) => [null, String(value), value]));
  const rows = select(database, 'SELECT size FROM object ORDER BY ROWID');
  expect(rows.map(([value]) => value)).toEqual(values);
});

test('rows longer than a page go on in others, at every length near the borders', async () => {
  const lengths = [4040, 4050, 4060, 4061, 4062, 4080, 4096, 4500, 8100, 8180, 8200, 12_300, 100_000];
  const database = await write(lengths.map((length) => [null, 'x'.repeat(length), length]));
  expect(select(database, 'SELECT length(name), size FROM object')).toEqual(lengths.map((length) => [length, length]));
});
