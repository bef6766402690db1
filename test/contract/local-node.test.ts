import { openTestNode } from '../support/storage-node';
import { describeStorageNode } from './storage-node';

describeStorageNode('a storage node in process', openTestNode);
