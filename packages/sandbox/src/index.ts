export * from './errors';
export type { JailForm, JailMode } from './jail/forms';
export { formatReport } from './report';
export { createSandbox } from './sandbox';
export * from './session';
export { builtInImages, configuredImages, javascriptImage, pythonImages } from './system-images';
