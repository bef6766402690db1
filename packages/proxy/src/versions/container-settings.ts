import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ContainerRecord, ContainerSettings } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';
import { decodeHeaderText, encodeHeaderText } from '../http/header-text';
import { isTrueValue } from '../http/query';
import { decodePercent } from '../swift-path';

/** The name of an archive as a client gave it, which is how it is shown. */
const locationName = 'x-container-sysmeta-versions-location';

/** What a PUT or POST of a container says about versions; `metadata` belong to it. Empty when it says nothing. */
export interface VersionSettings {
  settings?: ContainerSettings;
  metadata?: Record<string, string | undefined>;
}

/**
 * Reads X-Versions-Enabled, and X-Versions-Location and X-History-Location with their X-Remove-… forms (an empty value means
 * the same). 400 for both kinds of versioning at once, in a request or with what the container has.
 */
export function readVersionSettings(headers: IncomingHttpHeaders, container?: ContainerRecord): VersionSettings {
  const enabled = headers['x-versions-enabled'];
  const archived = readArchive(headers);
  if (enabled === undefined) {
    if (archived.settings?.archive && container?.versioning === 'enabled') throw bothKinds('legacy versioned writes');
    return archived;
  }
  if (container?.archive || archived.settings?.archive) throw bothKinds('object versioning');
  return {
    ...archived,
    settings: { ...archived.settings, versioning: isTrueValue(enabled) ? 'enabled' : suspended(container) },
  };
}

/** Never enabled is not suspended: such a container has no versions and shows none. */
function suspended(container: ContainerRecord | undefined): ContainerSettings['versioning'] {
  return container?.versioning && 'suspended';
}

function readArchive(headers: IncomingHttpHeaders): VersionSettings {
  const stack = headers['x-versions-location'] as string | undefined;
  const history = headers['x-history-location'] as string | undefined;
  if (stack && history) {
    throw new HttpError(400, 'Only one of x-versions-location or x-history-location may be specified');
  }
  const location = stack || history;
  if (location) {
    const container = (decodePercent(location) ?? '').split('/')[0]!;
    const text = decodeHeaderText(location);
    if (text === undefined || container.includes('\0')) throw new HttpError(412, 'Invalid UTF8 or contains NULL');
    if (location.includes('/')) throw badName('Container name cannot contain slashes');
    if (container === '') throw badName('Container name cannot be empty');
    return {
      settings: { archive: { container, mode: stack ? 'stack' : 'history' } },
      metadata: { [locationName]: text },
    };
  }
  const isRemoved =
    stack === '' ||
    history === '' ||
    headers['x-remove-versions-location'] !== undefined ||
    headers['x-remove-history-location'] !== undefined;
  return isRemoved ? { settings: { archive: null }, metadata: { [locationName]: undefined } } : {};
}

/** What a container's answers tell about its versions. */
export function setVersionHeaders(response: ServerResponse, { versioning, archive, metadata }: ContainerRecord): void {
  if (versioning) response.setHeader('X-Versions-Enabled', versioning === 'enabled' ? 'True' : 'False');
  if (!archive) return;
  const name = archive.mode === 'stack' ? 'X-Versions-Location' : 'X-History-Location';
  response.setHeader(name, encodeHeaderText(metadata[locationName] ?? archive.container));
}

function bothKinds(wanted: string): HttpError {
  const text =
    wanted === 'object versioning'
      ? 'Cannot enable object versioning on a container that is already using the legacy versioned writes feature.'
      : 'Cannot use the legacy versioned writes feature on a container that has object versioning enabled.';
  return new HttpError(400, text, { headers: { 'content-type': htmlType } });
}

function badName(sentence: string): HttpError {
  return new HttpError(412, sentence, { headers: { 'content-type': htmlType } });
}
