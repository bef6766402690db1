export * from './errors';
export * from './storage-node';
export * from './store/body-files';
export { LevelStore, type LevelStoreOptions, openLevelStore } from './store/level/level-store';
export * from './store/object-store';
