export * from './errors';
export type { JailForm, JailMode } from './jail/forms';
export { formatReport } from './report';
export { createSandbox } from './sandbox';
export * from './session';
export { Stop, type StopSignal } from './stop-signal';
export { builtInImages, configuredImages, javascriptImage, pythonImages } from './system-images';
