/** Settings of the storage side, validated and frozen. */
export interface StorageConfig {
  /** Directory that holds everything: LevelDB, blobs, staging, slots. */
  dataDir: string;
  /** Sessions that run at once, one executor process each. */
  maxSessions: number;
  /** Name → path of further system images (directory or tar). */
  systemImages: Record<string, string>;
  /** Seconds between two looks for expired objects. */
  expirerIntervalS: number;
}
