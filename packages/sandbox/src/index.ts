export * from './errors';
export { formatReport } from './report';
export { createSandbox } from './sandbox';
export * from './session';
export { configuredImages, pythonImages } from './system-images';
