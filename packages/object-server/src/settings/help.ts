import type { Role, Setting } from './kinds';
import { settings } from './schema';

const all: Setting<unknown>[] = Object.values(settings);

/** The settings that one program reads, as plain text for `--help`. */
export function settingsHelp(usage: string, roles: readonly Role[]): string {
  const lines = all
    .filter((setting) => setting.readBy.some((role) => roles.includes(role)))
    .map(
      (setting) => `  ${setting.name}\n      ${setting.sentence}\n      ${setting.type}; default: ${shown(setting)}`,
    );
  return `${usage}\n\nSettings are environment variables:\n\n${lines.join('\n')}\n`;
}

/** The same for `docs/operations.md`: one Markdown table of all settings. */
export function settingsTable(): string {
  const rows = all.map((setting) => [
    `\`${setting.name}\``,
    escapeCell(setting.type),
    shown(setting) === 'none' ? 'none' : `\`${escapeCell(shown(setting))}\``,
    setting.readBy.length === 3 ? 'all' : setting.readBy.join(', '),
    escapeCell(setting.sentence),
  ]);
  const head = ['Variable', 'Value', 'Default', 'Read by', 'Meaning'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function shown(setting: Setting<unknown>): string {
  return setting.fallbackText === '' ? 'none' : setting.fallbackText;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
