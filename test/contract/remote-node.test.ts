import { openRemoteTestNode } from '../support/storage-node';
import { describeStorageNode } from './storage-node';

describeStorageNode('a storage node over HTTP', openRemoteTestNode);
