import fc from 'fast-check';
import type { Exchange } from '../exchange';
import {
  changeAccount,
  changeContainer,
  grants,
  listAccount,
  listContainer,
  listNamed,
  listVersions,
} from './containers';
import { copy, manifest, post, pull, putNamed, read, readPlain, remove, simple, upload, version } from './objects';
import { bulkDelete, odd, oddPath, rawLines } from './protocol';

/** What a sequence is made of. */
export const steps: { weight: number; arbitrary: fc.Arbitrary<Exchange>; name: string }[] = [
  { name: 'readPlain', weight: 8, arbitrary: readPlain },
  { name: 'read', weight: 6, arbitrary: read },
  { name: 'upload', weight: 6, arbitrary: upload },
  { name: 'post', weight: 4, arbitrary: post },
  { name: 'remove', weight: 4, arbitrary: remove },
  { name: 'copy', weight: 4, arbitrary: copy },
  { name: 'pull', weight: 2, arbitrary: pull },
  { name: 'manifest', weight: 3, arbitrary: manifest },
  { name: 'listContainer', weight: 6, arbitrary: listContainer },
  { name: 'listAccount', weight: 2, arbitrary: listAccount },
  { name: 'changeContainer', weight: 3, arbitrary: changeContainer },
  { name: 'changeAccount', weight: 1, arbitrary: changeAccount },
  { name: 'version', weight: 5, arbitrary: version },
  { name: 'simple', weight: 8, arbitrary: simple },
  { name: 'listVersions', weight: 4, arbitrary: listVersions },
  { name: 'putNamed', weight: 5, arbitrary: putNamed },
  { name: 'listNamed', weight: 5, arbitrary: listNamed },
  { name: 'grants', weight: 1, arbitrary: grants },
  { name: 'bulkDelete', weight: 1, arbitrary: bulkDelete },
  { name: 'odd', weight: 2, arbitrary: odd },
  { name: 'oddPath', weight: 1, arbitrary: oddPath },
  { name: 'raw', weight: 1, arbitrary: rawLines },
];
export const aStep = fc.oneof(...steps);
