import { readdirSync } from 'node:fs';

// Put before a process's own code (`node --expose-gc --import …`): tells its parent what it holds, when asked.
process.on('message', async (message) => {
  if (message !== 'sample') return;
  // Buffers are freed behind the collection that found them unused.
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send({
    heapBytes: heapUsed + external,
    residentBytes: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().length,
  });
});
process.channel.unref();
