import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDemo } from '../../demo/backend/demo.ts';
import { type App, hostOf } from '../../server/cli/serve.ts';
import { Settings } from '../../server/options.ts';
import { RealtimeServer } from '../../server/server.ts';
import { SECRET } from './start-server.ts';

export interface DemoInProcess extends AsyncDisposable {
  readonly url: string;
  readonly realtime: RealtimeServer;
}

/** The demo in the process of the test: for what its backend alone can do. Its pages and the workers must be built. */
export async function startDemoInProcess(): Promise<DemoInProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ashlar-demo-'));
  let app: App | null = null;
  const http = createServer((request, response) => app?.answer(request, response));
  const settings = Settings.parse({ jwtSecret: SECRET, logLevel: 'silent', dataDir });
  const realtime = new RealtimeServer(settings);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await realtime.initialize(http);
  app = await createDemo(hostOf(realtime, http, settings), { hot: false });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    realtime,
    async [Symbol.asyncDispose]() {
      await app?.stop();
      await realtime.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
