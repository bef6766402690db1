export * from './errors';
export * from './storage-node';
export { sendBodies, sendBody } from './store/blob-stream';
export * from './store/body-files';
export { LevelStore, type LevelStoreOptions, openLevelStore } from './store/level/level-store';
export * from './store/metadata-totals';
export * from './store/object-store';
