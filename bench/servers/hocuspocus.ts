import { join } from 'node:path';
import { SQLite } from '@hocuspocus/extension-sqlite';
import { Server } from '@hocuspocus/server';
import { answerParent } from './answer-parent.ts';
import { dataFolder } from './data-folder.ts';

const server = new Server({
  address: '127.0.0.1',
  quiet: true,
  extensions: [new SQLite({ database: join(dataFolder(), 'hocuspocus.db') })],
});
server.configuration.port = 0;
await server.listen();
answerParent(server.address.port);
