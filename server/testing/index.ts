// Run a server in a product's tests, without a disk

export { type MemoryDisk, memoryDisk } from './memory-disk.ts';
export { type MemoryStore, openMemoryStore } from './memory-store.ts';
