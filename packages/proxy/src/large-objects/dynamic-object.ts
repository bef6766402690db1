import { createHash } from 'node:crypto';
import type { ByteRange, ContainerPath, ObjectEntry, ObjectRecord } from '@zerocloud/object-server';
import type { Deps } from '../context';
import { HttpError, htmlType } from '../errors';
import { encodeHeaderText } from '../http/header-text';
import { selectRanges } from '../objects/ranges';
import { decodePercent } from '../swift-path';
import type { LargeObject, WholeRecord } from './large-object';
import { type Demand, SegmentReader } from './segment-reader';
import { openParts, SegmentStream } from './segment-stream';
import type { Part } from './static-parts';
import { dynamicName, listedSize } from './stored-manifest';

/** 400 for an X-Object-Manifest that is not `<container>/<prefix>`; `undefined` goes. */
export function checkDynamicManifest(value: string | undefined): void {
  if (value === undefined) return;
  const { container, prefix } = splitManifest(value);
  const decoded = decodePercent(value);
  const isText = decoded !== undefined && !decoded.includes('\0');
  if (!container || !prefix || /[?&]/.test(value) || prefix.startsWith('/') || !isText) {
    const sentence = 'X-Object-Manifest must be in the format container/prefix';
    throw new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
  }
}

function splitManifest(value: string): { container: string; prefix: string } {
  const slash = value.indexOf('/');
  return slash < 0
    ? { container: '', prefix: '' }
    : { container: value.slice(0, slash), prefix: value.slice(slash + 1) };
}

/**
 * The concatenation of all objects whose names begin with the manifest's prefix. Only the first page of their listing
 * is read before the answer begins: with more of them the whole has no length, no etag of its own, and no range behind
 * that page, as in Swift (swift/common/middleware/dlo.py).
 */
export async function openDynamic(
  deps: Deps,
  demand: Demand,
  account: string,
  manifest: ObjectRecord,
): Promise<LargeObject> {
  // Kept as text; what is percent-encoded in it are bytes.
  const named = decodePercent(encodeHeaderText(manifest.metadata[dynamicName]!));
  const { container, prefix } = splitManifest(named ?? '');
  const path = { account, container };
  const listing = new SegmentListing(deps, path, prefix);
  await demand(path);
  const firstPage = await listing.page();
  const isEndless = !listing.isLastPage(firstPage);
  const record: WholeRecord = {
    ...manifest,
    sizeBytes: firstPage.reduce((sum, entry) => sum + listedSize(entry), 0),
    etag: isEndless ? manifest.etag : etagOf(firstPage),
    quotesEtag: !isEndless,
    isEndless,
  };
  const reader = new SegmentReader(deps, demand);
  return {
    record,
    select: (header) => selectRanges(isRangeKnown(header, record) ? header : undefined, record.sizeBytes),
    read(range) {
      const end = record.isEndless ? Number.POSITIVE_INFINITY : record.sizeBytes - 1;
      const parts = listing.parts(firstPage, range ?? { start: 0, end });
      return SegmentStream.open(openParts(reader, parts, expectedBytes(range, record)));
    },
    close: () => undefined,
  };
}

/** `undefined` where nobody can tell: then every length is right. */
function expectedBytes(range: ByteRange | undefined, record: WholeRecord): number | undefined {
  if (range) return range.end - range.start + 1;
  return record.isEndless ? undefined : record.sizeBytes;
}

function etagOf(entries: ObjectEntry[]): string {
  const hash = createHash('md5');
  for (const { etag } of entries) hash.update(etag);
  return hash.digest('hex');
}

/** One range; in an object without known length, one that ends inside the first page. */
function isRangeKnown(header: string | undefined, { isEndless, sizeBytes }: WholeRecord): boolean {
  if (header === undefined || header.includes(',')) return false;
  if (!isEndless) return true;
  const end = /^\s*bytes\s*=\s*\d+\s*-\s*(\d+)\s*$/i.exec(header)?.[1];
  return end !== undefined && Number(end) + 1 < sizeBytes;
}

class SegmentListing {
  readonly #limit: number;

  constructor(
    private readonly deps: Deps,
    private readonly path: ContainerPath,
    private readonly prefix: string,
  ) {
    this.#limit = deps.config.limits.containerListingLimit;
  }

  async page(marker?: string): Promise<ObjectEntry[]> {
    const query = { limit: this.#limit, prefix: this.prefix, marker };
    return (await this.deps.node.listObjects(this.path, query)) as ObjectEntry[];
  }

  isLastPage(entries: ObjectEntry[]): boolean {
    return entries.length < this.#limit;
  }

  async *parts(firstPage: ObjectEntry[], { start, end }: ByteRange): AsyncGenerator<Part> {
    let [first, last] = [start, end];
    for (let entries = firstPage; ; entries = await this.page(entries.at(-1)!.name)) {
      for (const entry of entries) {
        const sizeBytes = listedSize(entry);
        if (last < 0) return;
        if (first < sizeBytes) {
          const range = { start: Math.max(0, first), end: Math.min(sizeBytes - 1, last) };
          yield { kind: 'object', path: { ...this.path, object: entry.name }, range, sizeBytes };
        }
        first -= sizeBytes;
        last -= sizeBytes;
      }
      if (this.isLastPage(entries)) return;
    }
  }
}
