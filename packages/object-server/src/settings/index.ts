export * from './help';
export type { Role, Setting } from './kinds';
export { defaultUsers, type UserSetting } from './lists';
export * from './read';
export { type SettingValues, settings } from './schema';
export * from './secret';
export type { Digest } from './urls';
