export * from './app';
export * from './auth/authorize';
export * from './config';
export * from './context';
export * from './errors';
export * from './server';
export * from './swift-path';
