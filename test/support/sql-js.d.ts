/** What the tests use of sql.js, a SQLite in WebAssembly. (Its own types bring a `WebAssembly` that is not ours.) */
declare module 'sql.js' {
  export interface Database {
    exec(sql: string): { columns: string[]; values: unknown[][] }[];
  }
  export interface SqlJsStatic {
    Database: new (data: Uint8Array) => Database;
  }
  export default function initSqlJs(): Promise<SqlJsStatic>;
}
