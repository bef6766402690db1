export * from './config';
export * from './context';
export * from './errors';
export * from './swift-path';
