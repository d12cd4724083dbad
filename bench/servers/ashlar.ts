import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RealtimeServer } from 'ashlar/server';
import { SECRET } from '../clients/sign-token.ts';
import { answerParent } from './answer-parent.ts';
import { dataFolder } from './data-folder.ts';

// Everything as a user gets it: guard, limits, synchronous=FULL. Only the log is quiet, as that of every other candidate is.
const http = createServer();
const realtime = new RealtimeServer({ jwtSecret: SECRET, dataDir: dataFolder(), logLevel: 'silent' });
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
await realtime.initialize(http);
answerParent((http.address() as AddressInfo).port, {
  publish: ({ room, name, data }) => realtime.toRoom(room as string, name as 'dashboard:update', data as never),
  compactions: async () => Number(/compactions_total\{result="compacted"\} (\d+)/.exec(await realtime.metrics())?.[1]),
  append: async ({ count, inFlight }) => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < (count as number)) {
        const id = `${process.hrtime.bigint()}-${next++}`;
        const message = { id, sessionId: '1', content: 'a message of a usual length', sender: 'assistant' as const };
        await realtime.toRoom('chat:1', 'chat:message', { ...message, timestamp: new Date().toISOString() });
      }
    };
    await Promise.all(Array.from({ length: inFlight as number }, lane));
  },
});
