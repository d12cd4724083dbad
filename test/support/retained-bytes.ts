import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Frees what nothing holds. @returns bytes that this process still holds, on the heap and in buffers */
export async function retainedBytes(): Promise<number> {
  // Set here and not by the test runner: so that the test says by itself what it needs.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers are freed behind the collection that found them unused.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
