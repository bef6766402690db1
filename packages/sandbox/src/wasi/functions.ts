type ValueType = 'i32' | 'i64';

/** Type of an imported function, for the admission check. */
export interface WasiSignature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Module name of every import. */
export const wasiModuleName = 'wasi_snapshot_preview1';

const errnoResult: readonly ValueType[] = ['i32'];

/** `4` is an i32 parameter, `8` an i64 one. Every function but `proc_exit` returns an error number. */
function signature(params: string, results = errnoResult): WasiSignature {
  return { params: Array.from(params, (size) => (size === '8' ? 'i64' : 'i32')), results };
}

/** All 46 functions of WASI preview 1 with their lowered types; the host provides exactly these. */
export const wasiFunctions = {
  args_get: signature('44'),
  args_sizes_get: signature('44'),
  environ_get: signature('44'),
  environ_sizes_get: signature('44'),
  clock_res_get: signature('44'),
  clock_time_get: signature('484'),
  fd_advise: signature('4884'),
  fd_allocate: signature('488'),
  fd_close: signature('4'),
  fd_datasync: signature('4'),
  fd_fdstat_get: signature('44'),
  fd_fdstat_set_flags: signature('44'),
  fd_fdstat_set_rights: signature('488'),
  fd_filestat_get: signature('44'),
  fd_filestat_set_size: signature('48'),
  fd_filestat_set_times: signature('4884'),
  fd_pread: signature('44484'),
  fd_prestat_get: signature('44'),
  fd_prestat_dir_name: signature('444'),
  fd_pwrite: signature('44484'),
  fd_read: signature('4444'),
  fd_readdir: signature('44484'),
  fd_renumber: signature('44'),
  fd_seek: signature('4844'),
  fd_sync: signature('4'),
  fd_tell: signature('44'),
  fd_write: signature('4444'),
  path_create_directory: signature('444'),
  path_filestat_get: signature('44444'),
  path_filestat_set_times: signature('4444884'),
  path_link: signature('4444444'),
  path_open: signature('444448844'),
  path_readlink: signature('444444'),
  path_remove_directory: signature('444'),
  path_rename: signature('444444'),
  path_symlink: signature('44444'),
  path_unlink_file: signature('444'),
  poll_oneoff: signature('4444'),
  proc_exit: signature('4', []),
  proc_raise: signature('4'),
  sched_yield: signature(''),
  random_get: signature('44'),
  sock_accept: signature('444'),
  sock_recv: signature('444444'),
  sock_send: signature('44444'),
  sock_shutdown: signature('44'),
} as const satisfies Record<string, WasiSignature>;

export type WasiFunctionName = keyof typeof wasiFunctions;
