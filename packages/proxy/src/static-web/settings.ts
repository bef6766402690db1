import type { ContainerRecord } from '@zerocloud/object-server';
import { isTrueValue } from '../http/query';

/** What a container's metadata `X-Container-Meta-Web-*` say about it as a web site. */
export interface WebSettings {
  /** Object that stands for its directory. */
  index?: string;
  /** Behind the status it is the name of the page of an error: `404error.html`. */
  error?: string;
  /** Given at all, whether or not it is a yes. */
  hasListings: boolean;
  listings: boolean;
  label?: string;
  css?: string;
  /** Content type of objects that mark a directory. */
  directoryType: string;
}

export function webSettings(container: ContainerRecord | undefined): WebSettings {
  const read = (name: string) => container?.metadata[`x-container-meta-web-${name}`]?.trim() || undefined;
  const listings = read('listings');
  return {
    index: read('index'),
    error: read('error'),
    hasListings: listings !== undefined,
    listings: isTrueValue(listings),
    label: read('listings-label'),
    css: read('listings-css'),
    directoryType: read('directory-type') ?? 'application/directory',
  };
}

/** True for a container that is a web site. */
export function isWebSite({ index, hasListings }: WebSettings): boolean {
  return index !== undefined || hasListings;
}
