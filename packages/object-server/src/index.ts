export * from './errors';
export * from './storage-node';
export * from './store/object-store';
